"""Dev chooses the checkpoint: the callbacks that both training stages share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.callbacks import Callback, EarlyStopping, ModelCheckpoint

from ltrgr.pipeline.artefact import SCRATCH
from ltrgr.pipeline.trainer import LAST


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Keeps the checkpoint that is best on dev, and the last one for a run that is resumed."""

    callbacks: list[Callback]
    best: ModelCheckpoint | None
    """None where there is no dev to choose by: the last weights are taken"""

    @classmethod
    def without_dev(cls, directory: Path, *, every: int) -> Choice:
        """Of a training without validation; the last checkpoint is written each ``every`` steps."""
        last = _last(directory, every_n_train_steps=every)
        return cls(callbacks=[last], best=None)

    @classmethod
    def on_dev(cls, directory: Path, *, monitor: str, patience: int | None) -> Choice:
        """Of a training in ``directory`` that validates.

        Args:
            monitor: the logged figure that chooses; higher is better.
            patience: validations without a better one before training stops; None: never.
        """
        best = ModelCheckpoint(
            dirpath=directory / SCRATCH,
            filename="best",
            monitor=monitor,
            mode="max",
            save_weights_only=True,
            enable_version_counter=False,
        )
        # After each validation and after `best`, so that a resumed run knows what dev has chosen.
        last = _last(directory, save_on_train_epoch_end=False)
        stop = EarlyStopping(monitor=monitor, mode="max", patience=patience or 0)
        return cls(callbacks=[*([stop] if patience else []), best, last], best=best)

    def load(self, module: LightningModule) -> int:
        """Give ``module`` the weights that dev chose; returns the step that they are of."""
        if self.best is None:
            return module.trainer.global_step
        state = torch.load(self.best.best_model_path, map_location="cpu", weights_only=True)
        module.load_state_dict(state["state_dict"], strict=True)
        return int(state["global_step"])


def _last(directory: Path, **when: Any) -> ModelCheckpoint:
    return ModelCheckpoint(
        dirpath=directory / SCRATCH,
        filename=Path(LAST).stem,
        enable_version_counter=False,
        **when,
    )
