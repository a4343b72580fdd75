"""Candidate generation: rare keys propose the passages to score in full (compiled)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ltrgr.compiled import njit
from ltrgr.index.any_index import passage_of_row, passages_of_token, position_of_row
from ltrgr.index.kernels import STEP
from ltrgr.scoring.search.ranked_keys import RankedKeys

BLOCK = 256
"""Rows located at a time; the random reads of a block overlap in time."""


class Excluded(NamedTuple):
    """Corpus positions that a question may not use, as half-open ranges in CSR form."""

    offsets: NDArray[np.int64]
    """[B + 1] ranges of question b are ``offsets[b]:offsets[b + 1]``."""
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]


class Accumulators(NamedTuple):
    """Accumulators over the passages of a shard; zero at first, never cleared between questions.

    The operating system provides zero pages on demand, so only the used part takes memory.
    """

    passage: NDArray[np.float64]
    """[P, 2] sum of the weights of the distinct proposing keys, and a stamp: 1 + the last key that
    proposed the passage. The stamp shows whether the sum is of an earlier question, and whether
    the key has proposed the passage before. Both are read together at random places, hence side
    by side; a float64 represents these integers exactly."""
    touched: NDArray[np.int32]
    """[P + 1] passages that the question proposes, in order of discovery; one spare place."""
    located: NDArray[np.int64]
    """[BLOCK] passage of each row of a block, -1 where the row does not count."""


def new_accumulators(n_passages: int) -> Accumulators:
    """An unused ledger for a shard of ``n_passages``."""
    return Accumulators(
        np.zeros((n_passages, 2)), np.empty(n_passages + 1, np.int32), np.empty(BLOCK, np.int64)
    )


@njit(cache=True, nogil=True)
def propose(
    ranked: RankedKeys,
    arrays: Any,
    excluded: Excluded,
    accumulators: Accumulators,
    question: int,
    max_candidate_count: int,
    common: bool,
) -> NDArray[np.int32]:
    """Passages that hold a rare (with ``common``: a common) key, in order of discovery.

    The ledger then holds the proposal of each: the sum of the weights of its proposing keys, each
    once, added in order of falling weight.

    Args:
        question: must not be lower than in an earlier call, since stamps grow.
        max_candidate_count: a key is rare if it occurs at most this often in the corpus.
    """
    first, last = ranked.offsets[question], ranked.offsets[question + 1]
    any_excluded = excluded.offsets[question + 1] > excluded.offsets[question]
    n_touched = 0
    for key in range(first, last):
        lo, hi = ranked.lo[key], ranked.hi[key]
        if (ranked.total[key] > max_candidate_count) != common:
            continue
        if hi > lo and ranked.length[key] == 1 and not any_excluded:
            listed = passages_of_token(arrays, ranked.tokens[ranked.start[key]])
            if listed.size:
                n_touched = accumulate(
                    accumulators, listed, ranked.weight[key], first, key + 1, n_touched
                )
                continue
        for begin in range(lo, hi, BLOCK):
            n = min(BLOCK, hi - begin)
            locate_passages(arrays, begin, n, ranked.length[key], accumulators.located)
            if any_excluded:
                drop_excluded(
                    arrays, begin, n, ranked.length[key], excluded, question, accumulators.located
                )
            located = accumulators.located[:n]
            n_touched = accumulate(
                accumulators, located, ranked.weight[key], first, key + 1, n_touched
            )
    return accumulators.touched[:n_touched]


@njit(**STEP)
def locate_passages(arrays: Any, begin: int, n: int, length: int, out: NDArray[np.int64]) -> None:
    """Write the passages of ``n`` rows from ``begin`` on; -1 where a key crosses a passage end.

    Args:
        length: tokens of the key.
        out: [BLOCK], of which the first n entries are written.
    """
    for i in range(n):
        out[i] = passage_of_row(arrays, begin + i, length)


@njit(**STEP)
def drop_excluded(
    arrays: Any,
    begin: int,
    n: int,
    length: int,
    excluded: Excluded,
    question: int,
    located: NDArray[np.int64],
) -> None:
    """Write -1 for the rows whose occurrence touches an excluded range."""
    for i in range(n):
        start = position_of_row(arrays, begin + i, length)
        if is_excluded(excluded, question, start, start + length):
            located[i] = -1


@njit(**STEP)
def accumulate(
    accumulators: Accumulators,
    located: NDArray[np.int64] | NDArray[np.int32],
    weight: float,
    first: int,
    stamp: int,
    n_touched: int,
) -> int:
    """Add the key's weight once to each located passage; return the new number of passages.

    Args:
        located: passages of the key's occurrences, -1 for none.
        first: the question's first key; a stamp up to it is of an earlier question.
        stamp: 1 + the key.
        n_touched: passages that the question has proposed so far.
    """
    passages, touched = accumulators.passage, accumulators.touched
    for i in range(located.size):
        passage = np.int64(located[i])
        if passage < 0 or passage >= touched.size - 1:  # no passage, or a damaged file
            continue
        # No other branch: whether a passage is new or repeated cannot be predicted.
        last, known = passages[passage, 1], passages[passage, 0]
        fresh = last <= first  # the sum is of an earlier question
        passages[passage, 0] = (0.0 if fresh else known) + (weight if last != stamp else 0.0)
        passages[passage, 1] = stamp
        touched[n_touched] = passage
        n_touched += fresh
    return n_touched


@njit(cache=True, nogil=True)
def proposals(touched: NDArray[np.int32], accumulators: Accumulators) -> NDArray[np.float64]:
    """[n] the proposals of the touched passages."""
    values = np.empty(touched.size)
    for i in range(touched.size):
        values[i] = accumulators.passage[touched[i], 0]
    return values


@njit(cache=True, nogil=True)
def choose(
    touched: NDArray[np.int32], values: NDArray[np.float64], candidates: int
) -> NDArray[np.int32]:
    """The ``candidates`` passages with the highest proposals, ascending by number.

    Args:
        touched, values: [n] proposed passages and their proposals; ties go to the lower number.
    """
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
