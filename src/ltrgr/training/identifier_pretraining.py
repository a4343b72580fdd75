"""Stage 1: learning to generate identifiers (docs/method.md, section 4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from pytorch_lightning import LightningModule
from torch import Tensor
from torch.nn import functional
from torchmetrics import Metric

from ltrgr.data.identifier_batch import IdentifierBatch
from ltrgr.decoding.model import by_length, encode, teacher_forced_logits
from ltrgr.training.optimization import (
    MakeOptimizer,
    MakeScheduler,
    lightning_optimizer,
    parameter_groups,
)

Counted = Mapping[str, tuple[Tensor, Tensor]]
"""name -> (right, asked): bool tensors of one shape; only what is asked counts"""

CheckDev = Callable[[Tensor], Counted]
"""rows of dev questions [n] -> what the current weights get right; names from ``dev_names``"""

TOKENS = "token_accuracy"
IDENTIFIERS = "identifier_accuracy"


def dev_names(views: Sequence[str]) -> list[str]:
    """The names under which dev is counted: tokens, and the identifiers of each searched view."""
    return [TOKENS, *(f"{IDENTIFIERS}/{view}" for view in views)]


def dev_figures(shares: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """``shares`` and the mean over the views that were asked for, each as ``dev/<name>``."""
    views = torch.stack([v for name, v in shares.items() if name.startswith(f"{IDENTIFIERS}/")])
    return {f"dev/{n}": v for n, v in {**shares, IDENTIFIERS: views.nanmean()}.items()}


def right_tokens(model: Any, batch: IdentifierBatch) -> tuple[Tensor, Tensor]:
    """(right, asked) [B, T]: where the likeliest token is the target's, given those before it."""
    states = encode(model, batch.prompt_ids, batch.prompt_mask)
    logits = teacher_forced_logits(model, states, batch.prompt_mask, batch.labels)
    return logits.argmax(dim=2) == batch.labels, batch.labels >= 0


def generation_loss(model: Any, batch: IdentifierBatch, *, label_smoothing: float) -> Tensor:
    """Mean token cross-entropy of the batch's identifiers under their prompts.

    L_gen = -log p(identifier | prompt), smoothed (Szegedy et al. 2016) by ``label_smoothing``.
    """
    states = encode(model, batch.prompt_ids, batch.prompt_mask)
    losses = [
        functional.cross_entropy(
            teacher_forced_logits(model, states[rows], batch.prompt_mask[rows], labels).flatten(
                0, 1
            ),
            labels.flatten(),
            ignore_index=-100,
            label_smoothing=label_smoothing,
            reduction="sum",
        )
        for rows, labels in by_length(batch.labels)
    ]
    return torch.stack(losses).sum() / (batch.labels >= 0).sum()


class IdentifierPretraining(LightningModule):
    """Trains a sequence-to-sequence model to generate identifiers from prompts.

    Args:
        optimizer: makes the optimizer from parameter groups.
        scheduler: makes the schedule of the learning rate over ``steps`` steps.
        cross_attention_learning_rate: own learning rate of the cross-attention, where that is new.
        check_dev: what the current weights get right on dev; None: no validation. It is logged
            as ``dev/token_accuracy``, ``dev/identifier_accuracy/<view>`` and, the mean over the
            views, ``dev/identifier_accuracy``.
        shares: the metric that sums it up, made for ``dev_names``.
    """

    def __init__(
        self,
        *,
        model: Any,
        optimizer: MakeOptimizer,
        scheduler: MakeScheduler,
        steps: int,
        label_smoothing: float,
        cross_attention_learning_rate: float | None = None,
        check_dev: CheckDev | None = None,
        shares: Metric | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        self.check_dev, self.shares = check_dev, shares
        self.label_smoothing = label_smoothing
        self.optimizer, self.scheduler, self.steps = optimizer, scheduler, steps
        self.cross_attention_learning_rate = cross_attention_learning_rate

    def training_step(self, batch: IdentifierBatch, batch_idx: int) -> Tensor:
        """One batch's generation loss."""
        loss = generation_loss(self.model, batch, label_smoothing=self.label_smoothing)
        self.log("train/generation_loss", loss, prog_bar=True, batch_size=len(batch.labels))
        return loss

    def validation_step(self, rows: Tensor, batch_idx: int) -> None:
        """Count what the current weights get right on some dev questions."""
        if self.check_dev is not None and self.shares is not None:
            self.shares.update(self.check_dev(rows))

    def on_validation_epoch_end(self) -> None:
        """Log the dev figures that choose the checkpoint."""
        if self.shares is not None:
            self.log_dict(dev_figures(self.shares.compute()))
            self.shares.reset()

    def configure_optimizers(self) -> Any:
        """The optimizer over the model's parameters, and the schedule of its learning rate."""
        groups = parameter_groups(
            self.model, cross_attention_learning_rate=self.cross_attention_learning_rate
        )
        return lightning_optimizer(
            groups, optimizer=self.optimizer, scheduler=self.scheduler, steps=self.steps
        )
