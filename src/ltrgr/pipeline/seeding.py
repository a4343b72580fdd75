"""The same seed, the same numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback

from ltrgr.pipeline.settings import ComputeSettings


def seed_everything(seed: int, *, compute: ComputeSettings) -> None:
    """Seed Python, numpy and torch, and fix the number of threads."""
    pl.seed_everything(seed, workers=True, verbose=False)
    fix_threads(compute)


def fix_threads(compute: ComputeSettings) -> None:
    """As many threads of torch as ``compute`` says: the last digits of a sum depend on it, and
    with more than there are idle cores a small model is several times slower."""
    if compute.threads is not None:
        torch.set_num_threads(compute.threads)


class SeededSteps(Callback):
    """Each training step draws its dropout from (seed, step): a resumed run equals a whole one."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """Seed torch for this step, whatever process takes it."""
        drawn = np.random.SeedSequence((self._seed, trainer.global_step)).generate_state(1)
        torch.manual_seed(int(drawn[0]))
