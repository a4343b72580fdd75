"""Stage 1: learning to generate identifiers (method, 2)."""

from __future__ import annotations

from typing import Any

import torch
from pytorch_lightning import LightningModule
from torch import Tensor
from torch.nn import functional

from ltrgr.data.identifier_pairs import IdentifierBatch
from ltrgr.decoding.model import decode, decoder_start_id, encode
from ltrgr.training.optimiser import adamw_with_warm_up, parameter_groups

GROUPS = 4
"""of similar length that a batch is cut into on a CPU"""


def generation_loss(model: Any, batch: IdentifierBatch, *, label_smoothing: float) -> Tensor:
    """Mean token cross-entropy of the batch's identifiers under their prompts.

    L_gen = -log p(identifier | prompt), smoothed (Szegedy et al. 2016) by ``label_smoothing``.
    """
    states = encode(model, batch.prompt_ids, batch.prompt_mask)
    start = torch.full_like(batch.labels[:, :1], decoder_start_id(model))
    inputs = torch.cat([start, batch.labels[:, :-1].clamp(min=0)], dim=1)
    total = states.new_zeros((), dtype=torch.float32)
    for rows in _by_length(batch.labels):
        labels = batch.labels[rows]
        longest = int((labels >= 0).sum(dim=1).max())
        logits, _ = decode(model, states[rows], batch.prompt_mask[rows], inputs[rows, :longest])
        total = total + functional.cross_entropy(
            logits.flatten(0, 1).float(),
            labels[:, :longest].flatten(),
            ignore_index=-100,
            label_smoothing=label_smoothing,
            reduction="sum",
        )
    return total / (batch.labels >= 0).sum()


def _by_length(labels: Tensor) -> list[Tensor]:
    """Rows grouped by length, so that a title is not padded to a pseudo-query.

    On a CPU the output layer over padding is most of a step; a GPU prefers one large call.
    """
    order = (labels >= 0).sum(dim=1).argsort(stable=True)
    groups = GROUPS if labels.device.type == "cpu" and len(labels) >= 8 * GROUPS else 1
    return list(order.tensor_split(groups))


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
