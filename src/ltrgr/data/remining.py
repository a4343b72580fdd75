"""Rank lists that follow the model: re-mined during stage 2, a period of steps at a time.

The paper (LTRGR, arXiv 2306.15222, sec. 3) mines once, before stage 2: the model soon learns from
lists that it would not give any more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ltrgr.retrieval.mined import MinedLists

Mine = Callable[[NDArray[np.int64]], MinedLists]
"""positions in the training split, ascending -> their lists by the model as it is when called"""


@dataclass(frozen=True, kw_only=True)
class Remining:
    """After every ``every`` steps, lists of the coming ones' questions (at most ``questions``)."""

    mine: Mine
    every: int
    questions: int | None


@dataclass(frozen=True, kw_only=True)
class Period:
    """The lists of the steps from ``first`` on, until the next period."""

    first: int
    rows: NDArray[np.int64]
    """[R] ascending: rows of the lists mined first that these replace"""
    lists: MinedLists
    """[R] their lists in this period"""

    def state(self) -> dict[str, Any]:
        """Numbers and tensors, for a checkpoint."""
        arrays = {name: torch.from_numpy(array) for name, array in self.lists.arrays().items()}
        return {"first": self.first, "rows": torch.from_numpy(self.rows), "lists": arrays}

    @classmethod
    def of_state(cls, state: dict[str, Any]) -> Period:
        """The inverse of ``state``."""
        arrays = {name: tensor.numpy() for name, tensor in state["lists"].items()}
        lists = MinedLists.of_arrays(arrays)
        return cls(first=state["first"], rows=state["rows"].numpy(), lists=lists)


def mine_period(
    mined: MinedLists, seen: NDArray[np.int64], *, first: int, remining: Remining
) -> tuple[Period, int]:
    """The lists of a period's questions, mined now; and how many questions were mined.

    Questions beyond ``remining.questions`` keep the list that was mined once, and so does one whose
    new list would teach nothing (no relevant passage in it, or nothing else).

    Args:
        seen: rows of ``mined`` in the order in which the period's steps see them.
    """
    _, appearance = np.unique(seen, return_index=True)
    distinct = seen[np.sort(appearance)]
    asked = np.sort(distinct[: remining.questions])
    fresh = remining.mine(mined.question[asked])
    has_both_labels = fresh.has_both_labels
    kept = np.setdiff1d(distinct, asked[has_both_labels])
    rows = np.concatenate([kept, asked[has_both_labels]])
    lists = mined.of(kept).followed_by(fresh.of(np.flatnonzero(has_both_labels)))
    order = np.argsort(rows)
    return Period(first=first, rows=rows[order], lists=lists.of(order)), len(asked)
