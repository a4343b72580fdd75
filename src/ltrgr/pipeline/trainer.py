"""One Lightning trainer for both stages: loggers, checkpoints, progress, resume."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import pytorch_lightning as pl
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from pytorch_lightning.callbacks import Callback, LearningRateMonitor
from pytorch_lightning.loggers import CSVLogger, Logger

from ltrgr.errors import LtrgrError
from ltrgr.pipeline.checkpoints import WholeCheckpoints, resumable
from ltrgr.pipeline.divergence import StopAtDivergence
from ltrgr.pipeline.progress import StepProgress
from ltrgr.pipeline.seeding import SeededSteps
from ltrgr.pipeline.settings import ComputeSettings, WandbSettings
from ltrgr.pipeline.tracking import begin_run, end_run

LAST = "last.ckpt"


class ForeignCheckpointError(LtrgrError):
    """A checkpoint to go on from was not written by ltrgr."""


# They tell of tips and devices at every start.
for _name in ("pytorch_lightning", "lightning.pytorch"):
    logging.getLogger(_name).setLevel(logging.WARNING)


@contextmanager
def loggers(
    directory: Path, *, stage: str, name: str, tracking: WandbSettings, config: Mapping[str, Any]
) -> Iterator[list[Logger]]:
    """CSV always, and W&B unless disabled; the W&B run is ended whatever happens."""
    made: list[Logger] = [CSVLogger(directory, name="curves")]
    run = begin_run(stage=stage, name=name, tracking=tracking, config=config)
    if run is not None:
        made.append(run)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="pytorch_lightning")
            yield made
    finally:
        if run is not None:
            end_run(stage=stage, tracking=tracking)


def make_trainer(
    *,
    directory: Path,
    steps: int,
    precision: str,
    gradient_clip_val: float,
    compute: ComputeSettings,
    logger: list[Logger],
    callbacks: list[Callback],
    val_check_interval: int | None,
    description: str,
    seed: int,
) -> pl.Trainer:
    """A trainer that runs ``steps`` steps and validates every ``val_check_interval`` of them."""
    bars: list[Callback] = [StepProgress(description)] if compute.progress else []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pl.Trainer(
            default_root_dir=directory,
            max_steps=steps,
            max_epochs=-1,
            accelerator=compute.accelerator,
            devices=1,
            precision=precision,  # type: ignore[arg-type]
            gradient_clip_val=gradient_clip_val,
            logger=logger,
            # One process, whatever the variables of a scheduler (SLURM_NTASKS) say.
            plugins=[WholeCheckpoints(), LightningEnvironment()],
            callbacks=[
                StopAtDivergence(),
                *callbacks,
                SeededSteps(seed),
                LearningRateMonitor("step"),
                *bars,
            ],
            log_every_n_steps=10,
            val_check_interval=val_check_interval,
            check_val_every_n_epoch=None,
            limit_val_batches=None if val_check_interval else 0,
            num_sanity_val_steps=0,
            enable_model_summary=False,
            enable_progress_bar=False,
            inference_mode=True,
        )


def fit(
    trainer: pl.Trainer,
    module: pl.LightningModule,
    data: pl.LightningDataModule,
    *,
    checkpoints: Path,
) -> None:
    """Train, going on from the last checkpoint of a run that was stopped, if there is one.

    Raises:
        KeyboardInterrupt: Ctrl-C came; Lightning itself would end the process without a word.
        ForeignCheckpointError: the checkpoint holds objects that a checkpoint of ours never does.
    """
    last = resumable(checkpoints / LAST)
    try:
        trainer.fit(module, data, ckpt_path=str(last) if last else None, weights_only=True)
    except UnpicklingError as error:
        raise ForeignCheckpointError(
            f"{last} holds more than weights and plain values, so ltrgr did not write it and does "
            "not load it: loading could run code. Remove it, and training starts from step 0"
        ) from error
    except SystemExit as stop:
        raise KeyboardInterrupt(f"stopped after {trainer.global_step} steps") from stop
    if trainer.interrupted:
        raise KeyboardInterrupt(f"stopped after {trainer.global_step} steps")
