"""Stage 1: learning to generate identifiers (docs/method.md, section 4)."""

from __future__ import annotations

from typing import Any

import torch
from pytorch_lightning import LightningModule
from torch import Tensor
from torch.nn import functional

from ltrgr.data.identifier_pairs import IdentifierBatch
from ltrgr.decoding.model import by_length, encode, teacher_forced_logits
from ltrgr.training.optimiser import adamw_with_warm_up, parameter_groups


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
        cross_attention_rate: own learning rate of the cross-attention, where that is new.
        warm_up: share of ``steps`` over which the rate rises.
    """

    def __init__(
        self,
        *,
        model: Any,
        learning_rate: float,
        cross_attention_rate: float | None,
        weight_decay: float,
        warm_up: float,
        steps: int,
        label_smoothing: float,
    ) -> None:
        super().__init__()
        self.model = model
        self.label_smoothing = label_smoothing
        self._rates = {
            "learning_rate": learning_rate,
            "cross_attention_rate": cross_attention_rate,
            "decay": weight_decay,
        }
        self._schedule = {"warm_up": warm_up, "steps": steps}

    def training_step(self, batch: IdentifierBatch, batch_idx: int) -> Tensor:
        """One batch's generation loss."""
        loss = generation_loss(self.model, batch, label_smoothing=self.label_smoothing)
        self.log("train/generation_loss", loss, prog_bar=True, batch_size=len(batch.labels))
        return loss

    def configure_optimizers(self) -> Any:
        """AdamW with warm-up."""
        groups = parameter_groups(self.model, **self._rates)  # type: ignore[arg-type]
        return adamw_with_warm_up(groups, **self._schedule)  # type: ignore[arg-type]
