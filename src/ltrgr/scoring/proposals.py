"""Proposals: rare keys name the passages that are worth scoring in full (compiled)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ltrgr.index.arrays import HINT_SHIFT, IndexArrays
from ltrgr.index.kernels import STEP, passage_of_position
from ltrgr.scoring.ranked_keys import RankedKeys

BLOCK = 256
"""Rows located at a time: the reads of one block do not wait for each other."""

NEAR = 2
"""Passages begun in a block of the position hints, up to which walking beats a binary search."""


class Excluded(NamedTuple):
    """Corpus positions that a question may not use, as half-open ranges in CSR form."""

    offsets: NDArray[np.int64]
    """[B + 1] ranges of question b are ``offsets[b]:offsets[b + 1]``."""
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]


class Ledger(NamedTuple):
    """Dense scratch space, all zeros at first, never cleared between questions.

    Zeros come from the operating system untouched, so a large corpus costs only what is used.
    """

    passage: NDArray[np.float64]
    """[P, 2] sum of the weights of the distinct proposing keys, and a stamp: 1 + the last key that
    touched the passage, which tells old questions and repeated keys apart. Side by side, because
    both are read together at random places; a float64 holds every such integer."""
    touched: NDArray[np.int32]
    """[P + 1] passages that the question touched, in order of discovery; one place to spill."""
    located: NDArray[np.int64]
    """[BLOCK] passages of the rows at hand, -1 where a row does not count."""


def new_ledger(n_passages: int) -> Ledger:
    """A ledger that no question has used."""
    return Ledger(
        np.zeros((n_passages, 2)), np.empty(n_passages + 1, np.int32), np.empty(BLOCK, np.int64)
    )


@njit(cache=True, nogil=True)
def propose(
    ranked: RankedKeys,
    arrays: IndexArrays,
    excluded: Excluded,
    ledger: Ledger,
    question: int,
    rare: int,
    common: bool,
) -> NDArray[np.int32]:
    """Passages that hold a rare (or a ``common``) key of the question, in order of discovery.

    Leaves their proposals in the ledger, each the sum of its keys' weights, heaviest first.
    """
    first, last = ranked.offsets[question], ranked.offsets[question + 1]
    any_excluded = excluded.offsets[question + 1] > excluded.offsets[question]
    n_touched = 0
    for key in range(first, last):
        lo, hi = ranked.lo[key], ranked.hi[key]
        if (ranked.total[key] > rare) != common:
            continue
        if hi > lo and ranked.length[key] == 1 and not any_excluded:
            listed = passages_of_token(arrays, np.int64(ranked.tokens[ranked.start[key]]))
            if listed.size:
                n_touched = tally(ledger, listed, ranked.weight[key], first, key + 1, n_touched)
                continue
        for begin in range(lo, hi, BLOCK):
            n = min(BLOCK, hi - begin)
            locate_passages(arrays, begin, n, ranked.length[key], ledger.located)
            if any_excluded:
                drop_excluded(
                    arrays, begin, n, ranked.length[key], excluded, question, ledger.located
                )
            located = ledger.located[:n]
            n_touched = tally(ledger, located, ranked.weight[key], first, key + 1, n_touched)
    return ledger.touched[:n_touched]


@njit(cache=True, nogil=True)
def passages_of_token(arrays: IndexArrays, token: int) -> NDArray[np.int32]:
    """The passages that hold the token, if the index lists them; else none."""
    listed = arrays.listed_offsets[token : token + 2]
    return arrays.listed_passages[listed[0] : listed[1]]


@njit(**STEP)
def locate_passages(
    arrays: IndexArrays, begin: int, n: int, length: int, out: NDArray[np.int64]
) -> None:
    """The passages of the ``n`` rows from ``begin``; -1 where a key runs over a passage's end."""
    suffixes, offsets, hints = arrays.suffix_array, arrays.passage_offsets, arrays.passage_hint
    base = arrays.text.size - length
    for i in range(n):
        start = base - np.int64(suffixes[begin + i])
        block = start >> HINT_SHIFT if start > 0 else 0
        passage = np.int64(hints[block])
        if np.int64(hints[block + 1]) - passage <= NEAR:
            # A comparison that is added costs less than one that is guessed wrong.
            for _ in range(NEAR):
                passage += np.int64(offsets[passage + 1] <= start)
        else:
            passage = passage_of_position(arrays, start)
        out[i] = passage
    if length > 1:  # a single token is inside its passage
        for i in range(n):
            start = base - np.int64(suffixes[begin + i])
            if start < 0 or start + length > offsets[out[i] + 1]:
                out[i] = -1


@njit(**STEP)
def drop_excluded(
    arrays: IndexArrays,
    begin: int,
    n: int,
    length: int,
    excluded: Excluded,
    question: int,
    located: NDArray[np.int64],
) -> None:
    """Writes -1 over the rows whose occurrence touches an excluded range."""
    for i in range(n):
        start = arrays.text.size - length - np.int64(arrays.suffix_array[begin + i])
        if is_excluded(excluded, question, start, start + length):
            located[i] = -1


@njit(**STEP)
def tally(
    ledger: Ledger,
    located: NDArray[np.int64] | NDArray[np.int32],
    weight: float,
    first: int,
    stamp: int,
    n_touched: int,
) -> int:
    """Adds the key's weight to each of the located passages once; the passages touched."""
    passages, touched = ledger.passage, ledger.touched
    for i in range(located.size):
        passage = np.int64(located[i])
        if passage < 0 or passage >= touched.size - 1:  # no passage, or a file that rots
            continue
        # No branches but the one above: which passages are new or repeated cannot be guessed.
        last, known = passages[passage, 1], passages[passage, 0]
        fresh = last <= first  # of an earlier question
        passages[passage, 0] = (0.0 if fresh else known) + (weight if last != stamp else 0.0)
        passages[passage, 1] = stamp
        touched[n_touched] = passage
        n_touched += fresh
    return n_touched


@njit(cache=True, nogil=True)
def proposals(touched: NDArray[np.int32], ledger: Ledger) -> NDArray[np.float64]:
    """[n] what the ledger holds for the touched passages."""
    values = np.empty(touched.size)
    for i in range(touched.size):
        values[i] = ledger.passage[touched[i], 0]
    return values


@njit(cache=True, nogil=True)
def choose(
    touched: NDArray[np.int32], values: NDArray[np.float64], candidates: int
) -> NDArray[np.int32]:
    """The ``candidates`` passages of the highest proposal (ties: lowest number), by number."""
    if touched.size <= candidates:
        return np.sort(touched)
    cut = touched.size - candidates
    threshold = np.partition(values, cut)[cut]
    above = touched[values > threshold]
    level = np.sort(touched[values == threshold])[: candidates - above.size]
    return np.sort(np.concatenate((above, level)))


@njit(**STEP)
def is_excluded(excluded: Excluded, question: int, start: int, end: int) -> bool:
    """Whether the half-open range touches one of the question's excluded ranges."""
    for i in range(excluded.offsets[question], excluded.offsets[question + 1]):
        if max(start, excluded.starts[i]) < min(end, excluded.ends[i]):
            return True
    return False
