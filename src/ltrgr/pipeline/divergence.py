"""Divergence: training that has left the finite numbers stops early, and nothing of it is saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from torch import nn

from ltrgr.errors import LtrgrError

CURE = (
    "lower the learning rate (pretrain.optimizer.lr or rank.optimizer.lr) and run the command again"
)


class DivergedError(LtrgrError):
    """A loss or a weight is infinite or not a number."""


class StopAtDivergence(Callback):
    """Looks at the loss every ``every`` steps: a look waits for the device, so not at each step."""

    def __init__(self, every: int = 10) -> None:
        self._every = every

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, outputs: Any, *_: Any
    ) -> None:
        """Stop where the loss of this step is not finite.

        Raises:
            DivergedError: names the step.
        """
        if trainer.global_step % self._every:
            return
        loss = outputs["loss"] if isinstance(outputs, Mapping) else outputs
        if isinstance(loss, torch.Tensor) and not torch.isfinite(loss).item():
            raise DivergedError(
                f"training diverged: the loss is {loss.item()} at step {trainer.global_step}; "
                f"{CURE}"
            )


def expect_finite(model: nn.Module) -> None:
    """Refuse a diverged model.

    Raises:
        DivergedError: a weight is not a number or infinite.
    """
    for name, weights in model.named_parameters():
        if not torch.isfinite(weights.detach().float().sum()).item():
            raise DivergedError(f"training diverged: {name} is not finite; {CURE}")
