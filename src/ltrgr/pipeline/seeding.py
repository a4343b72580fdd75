"""The same seed, the same numbers."""

from __future__ import annotations

import pytorch_lightning as pl
import torch

from ltrgr.pipeline.settings import Compute


def seed_everything(seed: int, *, compute: Compute) -> None:
    """Seed Python, numpy and torch, and fix the number of threads (sums depend on it)."""
    pl.seed_everything(seed, workers=True, verbose=False)
    if compute.threads is not None:
        torch.set_num_threads(compute.threads)
