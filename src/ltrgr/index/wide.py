"""Wide intervals: the few keys so frequent that scanning their rows would dominate a step."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ltrgr.csr import csr_offsets, csr_owners
from ltrgr.index.arrays import IndexArrays
from ltrgr.index.batch import allowed_many, extend_many

LEVELS = 64
"""Longer keys have no list; they are scanned. Each level reads all rows at most once, so this
bounds the build on a text that repeats a single token."""

BATCH = 64
"""Intervals whose lists are made at once; bounds the working memory to 64 V entries."""


def wide_intervals(arrays: IndexArrays) -> IndexArrays:
    """A copy of ``arrays`` with its wide lists, which must be empty in ``arrays``.

    The search is breadth first from the root. The tokens that follow a wide interval, with their
    counts, are its list and give its children; children above the threshold are visited next. Two
    keys may share an interval (if "b" always follows "a"), which is visited once.
    """
    pending = [(0, len(arrays.bwt))] if len(arrays.bwt) > arrays.wide_threshold else []
    seen = set(pending)
    tokens: dict[tuple[int, int], NDArray[np.int32]] = {}
    counts: dict[tuple[int, int], NDArray[np.int64]] = {}
    for _ in range(LEVELS):
        children: list[tuple[int, int]] = []
        for start in range(0, len(pending), BATCH):
            batch = pending[start : start + BATCH]
            lo, hi = np.array(batch, np.int64).T.copy()
            offsets, batch_tokens, batch_counts = allowed_many(arrays, lo, hi)
            for i, interval in enumerate(batch):
                part = slice(offsets[i], offsets[i + 1])
                tokens[interval] = batch_tokens[part].copy()
                counts[interval] = batch_counts[part].copy()
            children += _wide_children(arrays, (lo, hi), (offsets, batch_tokens, batch_counts))
        pending = [child for child in dict.fromkeys(children) if child not in seen]
        seen.update(pending)
    order = sorted(tokens)
    rows = np.array(order, np.int64).reshape(-1, 2).T.copy()
    sizes = [len(tokens[interval]) for interval in order]
    return arrays._replace(
        wide_lo=rows[0],
        wide_hi=rows[1],
        wide_offsets=csr_offsets(sizes),
        wide_tokens=np.concatenate([arrays.wide_tokens, *(tokens[i] for i in order)]),
        wide_counts=np.concatenate(
            [arrays.wide_counts, *(counts[i].astype(arrays.wide_counts.dtype) for i in order)]
        ),
    )


def _wide_children(
    arrays: IndexArrays,
    parents: tuple[NDArray[np.int64], NDArray[np.int64]],
    followers: tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]],
) -> list[tuple[int, int]]:
    """The intervals (lo, hi) of the children that are wide themselves."""
    (lo, hi), (offsets, tokens, counts) = parents, followers
    wide = counts > arrays.wide_threshold
    parent = csr_owners(offsets)[wide]
    child_lo, child_hi = extend_many(arrays, lo[parent], hi[parent], tokens[wide])
    return list(zip(child_lo.tolist(), child_hi.tolist(), strict=True))
