"""Check of mined lists that come from a disk: what is not a number or out of range would train."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ltrgr.errors import LtrgrError

if TYPE_CHECKING:
    from ltrgr.identifiers.keys import Keys
    from ltrgr.retrieval.mined import MinedLists

BLOCK = 4096
"""lists that are looked at together: bounds the memory of a check"""


class MinedListsError(LtrgrError):
    """Mined lists are damaged, or belong to another corpus."""


def fault_of(lists: MinedLists, *, passages: int | None, questions: int | None) -> str:
    """What is wrong with the lists; empty where nothing is. Reads every array once.

    Args:
        passages, questions: of the corpus and its training split; None: not looked at.
    """
    return next(_faults(lists, passages=passages, questions=questions), "")


def _faults(lists: MinedLists, *, passages: int | None, questions: int | None) -> Iterator[str]:
    if lists.key_index.ndim != 3 or lists.question.ndim != 1:
        yield "question or key_index has not the axes [Q] and [Q, P, K]"
        return
    n = len(lists.question)
    whole = (n, *lists.key_index.shape[1:])
    two, three = ("passage", "score", "relevance"), ("key_index", "coverage")
    for name, shape in [*((one, whole[:2]) for one in two), *((one, whole) for one in three)]:
        if (found := getattr(lists, name).shape) != shape:
            yield f"{name} has the shape {found}; expected {shape}"
            return
    if not _within(lists.question, 0, questions):
        yield f"question is not within [0, {questions})"
    yield from _key_faults(lists.keys, questions=n)
    widths = np.diff(lists.keys.question_offsets)[:, None, None]
    for part in (slice(start, start + BLOCK) for start in range(0, n, BLOCK)):
        passage, score = lists.passage[part], lists.score[part]
        if not _within(passage, -1, passages):
            yield f"passage is not within [-1, {passages})"
        if not np.isfinite(score[passage >= 0]).all():
            yield "score is not finite"
        if (
            not _within(lists.key_index[part], -1, None)
            or (lists.key_index[part] >= widths[part]).any()
        ):
            yield "key_index names a key that the question does not have"
        if not np.isfinite(lists.coverage[part]).all():
            yield "coverage is not finite"


def _key_faults(keys: Keys, *, questions: int) -> Iterator[str]:
    n = len(keys.view)
    for name, owners, owned in (
        ("question_offsets", questions, n),
        ("token_offsets", n, len(keys.tokens)),
    ):
        offsets = getattr(keys, name)
        ends = len(offsets) == owners + 1 and offsets[0] == 0 and offsets[-1] == owned
        if not ends or (np.diff(offsets) < 0).any():
            yield f"keys_{name} does not count {owned} up from 0"
            return
    if not len(keys.lo) == len(keys.hi) == len(keys.log_probability) == n:
        yield f"keys_lo, keys_hi and keys_log_probability are not of {n} keys"
        return
    if (keys.lo < 0).any() or (keys.hi < keys.lo).any():
        yield "keys_lo and keys_hi are no ranges"
    if not _within(keys.tokens, 0, None) or not _within(keys.view, 0, None):
        yield "keys_tokens or keys_view is negative"
    if np.isnan(keys.log_probability).any() or (keys.log_probability == np.inf).any():
        yield "keys_log_probability is not a number"


def _within(values: NDArray[Any], low: int, end: int | None) -> bool:
    """Whether all values are in [low, end)."""
    return not values.size or bool(values.min() >= low and (end is None or values.max() < end))
