"""Postings of rare tokens: their passages, which else cost one random read per occurrence."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltrgr.compiled import njit

LISTED = 2048
"""Tokens with at most this many occurrences have a list: the scorer's rare keys (1,500) and a
reserve. These are most tokens of a vocabulary and a small part of a large corpus."""


def listed_passages(
    *, text: NDArray[Any], passage_offsets: NDArray[np.int64], first: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The distinct passages of every token that occurs at most `LISTED` times, ascending.

    Returns:
        CSR: (offsets [V + 1], passages); the list of a more frequent token is empty.
    """
    rare = np.diff(first[1:]) <= LISTED
    offsets = np.zeros(len(rare) + 1, np.int64)
    last = np.full(len(rare), -1, np.int32)
    _count_passages(text, passage_offsets, rare, last, offsets[1:])
    offsets = np.cumsum(offsets)
    passages = np.empty(offsets[-1], np.int32)
    last.fill(-1)
    _fill_passages(text, passage_offsets, rare, last, offsets[:-1].copy(), passages)
    return offsets, passages


@njit(cache=True, nogil=True)
def _count_passages(text, passage_offsets, rare, last, out):  # type: ignore[no-untyped-def]
    for passage in range(passage_offsets.size - 1):
        for place in range(passage_offsets[passage], passage_offsets[passage + 1]):
            token = text[place]
            if rare[token] and last[token] != passage:
                last[token] = passage
                out[token] += 1


@njit(cache=True, nogil=True)
def _fill_passages(  # type: ignore[no-untyped-def]
    text, passage_offsets, rare, last, cursor, out
):
    for passage in range(passage_offsets.size - 1):
        for place in range(passage_offsets[passage], passage_offsets[passage + 1]):
            token = text[place]
            if rare[token] and last[token] != passage:
                last[token] = passage
                out[cursor[token]] = passage
                cursor[token] += 1
