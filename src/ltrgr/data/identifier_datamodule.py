"""Stage 1's data: (prompt, identifier) pairs drawn on the fly."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from pytorch_lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader

from ltrgr.data.identifier_batch import IdentifierBatch
from ltrgr.data.step_stream import StepStream
from ltrgr.data.target_sampler import TargetSampler


class IdentifierDataModule(LightningDataModule):
    """Stage-1 batches; a resumed run goes on with the batch after its last step.

    Args:
        dev: [D] rows of dev questions, for validation.
        steps_before: steps of an earlier training whose batches shall not come again.
    """

    def __init__(
        self,
        *,
        sampler: TargetSampler,
        batch_size: int,
        seed: int,
        dev: Tensor | None = None,
        steps_before: int = 0,
    ) -> None:
        super().__init__()
        self.sampler, self.batch_size, self.seed = sampler, batch_size, seed
        self.dev = torch.arange(0) if dev is None else dev
        self.steps_before = steps_before

    def train_dataloader(self) -> DataLoader[Any]:
        """Endless; the trainer's ``max_steps`` ends it."""
        done = self.trainer.global_step if self.trainer is not None else 0
        return StepStream(self.batch_at, first=self.steps_before + done).loader()

    def batch_at(self, step: int) -> IdentifierBatch:
        """The batch of a step, a function of the seed and the step."""
        generator = np.random.default_rng((self.seed, step))
        pairs = generator.integers(0, max(1, self.sampler.n_pairs), self.batch_size)
        return self.sampler.batch(pairs, generator)

    def val_dataloader(self) -> DataLoader[Tensor]:
        """Rows of dev questions."""
        return DataLoader(self.dev, batch_size=64)  # type: ignore[arg-type]
