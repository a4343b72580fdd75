"""Which mined lists each step of stage 2 sees."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ltrgr.errors import LtrgrError
from ltrgr.retrieval.mined import MinedLists


class TrainingDataError(LtrgrError):
    """There is nothing to learn from."""


class Order:
    """Shuffled epochs over the lists that teach, a function of the seed and the step.

    Raises:
        TrainingDataError: no list has a positive and a negative.
    """

    def __init__(self, mined: MinedLists, *, batch_size: int, seed: int) -> None:
        self.batch_size, self.seed = batch_size, seed
        self.rows = np.flatnonzero(mined.has_both_labels)
        if not len(self.rows):
            raise TrainingDataError(
                "no mined rank list holds both a relevant and an irrelevant passage, so there is "
                "nothing to rank; train stage 1 longer (pretrain.steps) or mine longer lists "
                "(mine.passages)"
            )

    def at(self, step: int) -> tuple[NDArray[np.int64], np.random.Generator]:
        """The lists of a step and its randomness."""
        per_epoch = max(1, len(self.rows) // self.batch_size)
        epoch, place = divmod(step, per_epoch)
        order = np.random.default_rng((self.seed, epoch)).permutation(self.rows)
        rows = order[place * self.batch_size : (place + 1) * self.batch_size]
        return rows, np.random.default_rng((self.seed, epoch, place))
