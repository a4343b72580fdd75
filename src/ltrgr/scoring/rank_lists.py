"""Rank lists: the best passages of B questions, each with its counted keys."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class RankLists:
    """B rank lists of k passages, best first, with up to K counted keys each.

    The score of a passage is the sum of weight * coverage over its counted keys. Places after the
    last passage of a list, and after the last key of a passage, are padding.
    """

    passage: NDArray[np.int32]
    """[B, k] passage numbers of the index; -1 is padding."""
    score: NDArray[np.float64]
    """[B, k] scores, descending; -inf is padding, so that it never outranks a passage."""
    key: NDArray[np.int32]
    """[B, k, K] counted keys, heaviest first, numbered from the question's first key; -1 pads."""
    coverage: NDArray[np.float32]
    """[B, k, K] coverage: the part of each key's weight that counts; 0 is padding."""
    position: NDArray[np.int64]
    """[B, k, K] first token of the counted occurrence, a position in the corpus; -1 is padding."""

    @property
    def mask(self) -> NDArray[np.bool_]:
        """[B, k] True for passages, False for padding."""
        return self.passage >= 0

    def members(self, question_offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        """[B, k, K] the counted keys as indices into ``Keys``; -1 is padding.

        Args:
            question_offsets: [B + 1] those of the ``Keys``.
        """
        shifted = self.key + np.asarray(question_offsets)[:-1, None, None]
        return np.where(self.key >= 0, shifted, -1)
