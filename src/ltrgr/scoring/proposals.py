"""Proposals: rare keys name the passages that are worth scoring in full (compiled)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ltrgr.index.arrays import IndexArrays
from ltrgr.index.kernels import passage_of_position
from ltrgr.scoring.ranked_keys import RankedKeys


class Excluded(NamedTuple):
    """Corpus positions that a question may not use, as half-open ranges in CSR form."""

    offsets: NDArray[np.int64]
    """[B + 1] ranges of question b are ``offsets[b]:offsets[b + 1]``."""
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]


class Hits(NamedTuple):
    """Occurrences of rare keys, heaviest key first."""

    passage: NDArray[np.int32]
    key: NDArray[np.int32]
    """The key's place in ``RankedKeys``."""
    position: NDArray[np.int64]


class Ledger(NamedTuple):
    """Dense scratch space [P], all zeros at first, never cleared between questions.

    Zeros come from the operating system untouched, so a large corpus costs only what is used.
    """

    proposal: NDArray[np.float64]
    """Sum of the weights of the distinct proposing keys; valid where ``stamp`` is current."""
    stamp: NDArray[np.int64]
    """1 + the last key that touched the passage: tells old questions and repeated keys apart."""
    slot: NDArray[np.int32]
    """1 + the passage's place among the candidates, else 0; restored after each question."""


@njit(cache=True)
def propose(
    ranked: RankedKeys,
    arrays: IndexArrays,
    excluded: Excluded,
    ledger: Ledger,
    question: int,
    rare: int,
    common: bool,
) -> tuple[NDArray[np.int32], Hits]:
    """Passages that hold a rare (or a ``common``) key of the question, in order of discovery.

    Leaves their proposals in the ledger. Only the hits of rare keys are kept: the occurrences of
    a common one can outnumber everything else, and are found again in the candidates' text.
    """
    first, last = ranked.offsets[question], ranked.offsets[question + 1]
    rows = 0
    for key in range(first, last):
        width = ranked.hi[key] - ranked.lo[key]
        if (width > rare) == common:
            rows += width
    kept = 0 if common else rows
    hits = Hits(np.empty(kept, np.int32), np.empty(kept, np.int32), np.empty(kept, np.int64))
    touched = np.empty(min(rows, ledger.stamp.size), np.int32)
    n_hits, n_touched = 0, 0
    for key in range(first, last):
        if (ranked.hi[key] - ranked.lo[key] > rare) != common:
            continue
        length = ranked.length[key]
        for row in range(ranked.lo[key], ranked.hi[key]):
            start = arrays.text.size - length - np.int64(arrays.suffix_array[row])
            passage = passage_of_position(arrays, max(start, 0))
            if start < 0 or start + length > arrays.passage_offsets[passage + 1]:
                continue  # runs over the end of its passage: in no passage
            if is_excluded(excluded, question, start, start + length):
                continue
            if ledger.stamp[passage] <= first:
                ledger.proposal[passage] = 0.0
                touched[n_touched] = passage
                n_touched += 1
            if ledger.stamp[passage] != key + 1:
                ledger.proposal[passage] += ranked.weight[key]
                ledger.stamp[passage] = key + 1
            if not common:
                hits.passage[n_hits] = passage
                hits.key[n_hits] = key
                hits.position[n_hits] = start
                n_hits += 1
    found = Hits(hits.passage[:n_hits], hits.key[:n_hits], hits.position[:n_hits])
    return touched[:n_touched], found


@njit(cache=True)
def choose(
    touched: NDArray[np.int32], proposal: NDArray[np.float64], candidates: int
) -> NDArray[np.int32]:
    """The ``candidates`` passages of the highest proposal (ties: lowest number), by number."""
    if touched.size <= candidates:
        return np.sort(touched)
    values = proposal[touched]
    cut = touched.size - candidates
    threshold = np.partition(values, cut)[cut]
    above = touched[values > threshold]
    level = np.sort(touched[values == threshold])[: candidates - above.size]
    return np.sort(np.concatenate((above, level)))


@njit(cache=True)
def bucket(
    hits: Hits, chosen: NDArray[np.int32], slot: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    """The hits of the chosen passages in CSR form (offsets, key, position), heaviest key first."""
    for i in range(chosen.size):
        slot[chosen[i]] = i + 1
    offsets = np.zeros(chosen.size + 1, np.int64)
    for hit in range(hits.passage.size):
        offsets[slot[hits.passage[hit]]] += 1  # passages that were not chosen land in offsets[0]
    offsets[0] = 0
    offsets = np.cumsum(offsets)
    key = np.empty(offsets[-1], np.int32)
    position = np.empty(offsets[-1], np.int64)
    place = offsets[:-1].copy()
    for hit in range(hits.passage.size):
        i = slot[hits.passage[hit]] - 1
        if i >= 0:
            key[place[i]] = hits.key[hit]
            position[place[i]] = hits.position[hit]
            place[i] += 1
    for i in range(chosen.size):
        slot[chosen[i]] = 0
    return offsets, key, position


@njit(cache=True)
def is_excluded(excluded: Excluded, question: int, start: int, end: int) -> bool:
    """Whether the half-open range touches one of the question's excluded ranges."""
    for i in range(excluded.offsets[question], excluded.offsets[question + 1]):
        if max(start, excluded.starts[i]) < min(end, excluded.ends[i]):
            return True
    return False
