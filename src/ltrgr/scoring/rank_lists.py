"""Rank lists: the best passages of B questions, each with the keys that found it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class RankLists:
    """B rank lists of k passages, best first, with up to K counted keys each.

    A passage's score is the sum of weight * cover over its counted keys; every place beyond a
    list's or a passage's end is padding.
    """

    passage: NDArray[np.int32]
    """[B, k] passage numbers of the index; -1 is padding."""
    score: NDArray[np.float64]
    """[B, k] descending; -inf is padding, so that it never outranks a passage."""
    key: NDArray[np.int32]
    """[B, k, K] counted keys, heaviest first, numbered from the question's first key; -1 pads."""
    cover: NDArray[np.float32]
    """[B, k, K] the share of its weight that each key counts with; 0 is padding."""
    position: NDArray[np.int64]
    """[B, k, K] where the counted occurrence starts in the corpus, tokens; -1 is padding."""

    @property
    def mask(self) -> NDArray[np.bool_]:
        """[B, k] True where a passage stands."""
        return self.passage >= 0

    def members(self, question_offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        """[B, k, K] the counted keys as indices into the batch's ``Keys``; -1 is padding."""
        shifted = self.key + np.asarray(question_offsets)[:-1, None, None]
        return np.where(self.key >= 0, shifted, -1)
