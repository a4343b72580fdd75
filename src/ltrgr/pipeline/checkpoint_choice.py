"""Dev chooses the checkpoint: the callbacks that both training stages share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback, EarlyStopping, ModelCheckpoint
from torch import Tensor

from ltrgr.pipeline.artefact import SCRATCH, ArtefactError
from ltrgr.pipeline.trainer import LAST


class History(Callback):
    """What dev said at each validation, those before a resume included."""

    def __init__(self) -> None:
        self.validations: list[dict[str, Any]] = []
        """{"step": int, "metrics": name -> value}; a figure that is not a number is left out"""

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Keep this validation's figures."""
        logged = {name: float(value) for name, value in trainer.callback_metrics.items()}
        metrics = {
            name: value
            for name, value in logged.items()
            if name.startswith("dev/") and math.isfinite(value)
        }
        self.validations.append({"step": trainer.global_step, "metrics": metrics})

    def state_dict(self) -> dict[str, Any]:
        """For the checkpoint."""
        return {"validations": list(self.validations)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the validations of the checkpoint."""
        self.validations = list(state_dict["validations"])


class LastStepValidates(Callback):
    """Validate after the last step, too: without it the steps after the last whole interval, the
    ones with the lowest learning rate, could not be chosen."""

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        """Lightning validates before it stops."""
        if trainer.global_step >= trainer.max_steps:
            trainer.should_stop = True


class MovedCheckpoints(ModelCheckpoint):
    """Goes on in a folder that was moved or copied: Lightning would forget which checkpoint was
    best, or look for it where the folder was."""

    @property
    def state_key(self) -> str:
        """As that of Lightning's own class, so that checkpoints of it are taken up."""
        return super().state_key.replace(MovedCheckpoints.__qualname__, "ModelCheckpoint", 1)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the checkpoints of ``state_dict``, in this folder."""
        here = Path(str(self.dirpath))

        def moved(path: str) -> str:
            return str(here / Path(path).name) if path else path

        paths = {f"{one}_model_path" for one in ("best", "kth_best", "last")} & set(state_dict)
        super().load_state_dict(
            state_dict
            | {name: moved(state_dict[name]) for name in paths}
            | {
                "dirpath": self.dirpath,
                "best_k_models": {moved(k): v for k, v in state_dict["best_k_models"].items()},
            }
        )


class LaterOfEqual(MovedCheckpoints):
    """Keeps the later of checkpoints that are equal on dev, where the learning rate is lower.

    Lightning keeps the first: of a model that generates nothing yet, the one trained least.
    """

    def check_monitor_top_k(self, trainer: Trainer, current: Tensor | None = None) -> bool:
        """Whether ``current`` is kept."""
        equal = current is not None and current == self.best_model_score
        return bool(equal) or super().check_monitor_top_k(trainer, current)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Keeps the checkpoint that is best on dev, and the last one for a run that is resumed."""

    callbacks: list[Callback]
    best: ModelCheckpoint | None
    """None where there is no dev to choose by: the last weights are taken"""
    history: History

    @classmethod
    def without_dev(cls, directory: Path, *, every: int) -> Choice:
        """Of a training without validation; the last checkpoint is written each ``every`` steps."""
        last = _last(directory, every_n_train_steps=every)
        return cls(callbacks=[last], best=None, history=History())

    @classmethod
    def on_dev(
        cls, directory: Path, *, monitor: str, patience: int | None, later_of_equal: bool = False
    ) -> Choice:
        """Of a training in ``directory`` that validates.

        Args:
            monitor: the logged figure that chooses; higher is better.
            patience: validations without a better one before training stops; None: never.
            later_of_equal: of equal ones the last is chosen, else the first.
        """
        best = (LaterOfEqual if later_of_equal else MovedCheckpoints)(
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
        history = History()
        first = [LastStepValidates(), history, *([stop] if patience else [])]
        return cls(callbacks=[*first, best, last], best=best, history=history)

    def load(self, module: LightningModule) -> int:
        """Give ``module`` the weights that dev chose; returns the step that they are of.

        Raises:
            ArtefactError: they are not there any more, or not what torch would have written.
        """
        if self.best is None:
            return module.trainer.global_step
        path, folder = Path(self.best.best_model_path), Path(str(self.best.dirpath)).parent
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
        except (FileNotFoundError, IsADirectoryError, UnpicklingError) as error:
            raise ArtefactError(
                f"the best checkpoint {path} is missing or foreign; remove {folder} and run the "
                "same command again"
            ) from error
        module.load_state_dict(state["state_dict"], strict=True)
        return int(state["global_step"])


def _last(directory: Path, **when: Any) -> ModelCheckpoint:
    return MovedCheckpoints(
        dirpath=directory / SCRATCH,
        filename=Path(LAST).stem,
        enable_version_counter=False,
        **when,
    )
