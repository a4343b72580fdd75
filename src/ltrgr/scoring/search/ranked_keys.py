"""Keys of positive weight, heaviest first: the order in which a passage counts them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ltrgr.compiled import njit
from ltrgr.csr import csr_offsets
from ltrgr.identifiers.keys import Keys


class RankedKeys(NamedTuple):
    """The m keys with a weight above 0 in CSR form, by question, then heaviest first.

    Ties go to the longer key, then to the earlier one. Each shard has its own RankedKeys; they
    differ only in ``lo`` and ``hi``. A NamedTuple, because compiled code accepts one.
    """

    offsets: NDArray[np.int64]
    """[B + 1] keys of question b are ``offsets[b]:offsets[b + 1]``."""
    number: NDArray[np.int32]
    """[m] the key's number within its question in ``Keys``."""
    weight: NDArray[np.float64]
    """[m] weights, above 0."""
    total: NDArray[np.int64]
    """[m] occurrences in the whole corpus; they decide in every shard whether a key is rare."""
    lo: NDArray[np.int64]
    hi: NDArray[np.int64]
    """[m] rows in one shard, hi exclusive."""
    start: NDArray[np.int64]
    length: NDArray[np.int64]
    """[m] the key's tokens are ``tokens[start:start + length]``."""
    tokens: NDArray[np.int32]
    distinct: NDArray[np.int32]
    """Distinct tokens of the key without markers: ``distinct[start:start + n_distinct]``."""
    n_distinct: NDArray[np.int64]
    """[m] number of distinct tokens without markers."""


def rank_keys(
    keys: Keys, weights: NDArray[np.float64], *, marker: NDArray[np.bool_]
) -> tuple[RankedKeys, ...]:
    """Sort the keys of all questions by weight.

    Args:
        weights: [n] weights of the n keys.
        marker: [V] True for marker tokens.

    Returns:
        One RankedKeys for each of the S shards.
    """
    length, question = keys.length, keys.question
    order = np.lexsort((-length, -weights, question))  # stable: the last tie is the key's order
    order = order[weights[order] > 0]
    sizes = np.bincount(question[order], minlength=len(keys.question_offsets) - 1)
    start = keys.token_offsets[:-1][order]
    # One array type only: numba compiles again for a read-only or strided array.
    tokens = np.require(keys.tokens, np.int32, ["C", "W"])
    marker = np.require(marker, np.bool_, ["C", "W"])
    distinct, n_distinct = distinct_tokens(tokens, start, length[order], marker)
    lo, hi = (np.require(rows[order].T, np.int64, ["C", "W"]) for rows in (keys.lo, keys.hi))
    ranked = RankedKeys(
        offsets=csr_offsets(sizes),
        number=(order - keys.question_offsets[question[order]]).astype(np.int32),
        weight=weights[order],
        total=(hi - lo).sum(axis=0),
        lo=lo[0],
        hi=hi[0],
        start=start,
        length=length[order],
        tokens=tokens,
        distinct=distinct,
        n_distinct=n_distinct,
    )
    return tuple(ranked._replace(lo=lo[s], hi=hi[s]) for s in range(len(lo)))


@njit(cache=True)
def distinct_tokens(
    tokens: NDArray[np.int32],
    start: NDArray[np.int64],
    length: NDArray[np.int64],
    marker: NDArray[np.bool_],
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Distinct tokens of each key without markers, and their numbers [m].

    Those of key i are at its own place, ``distinct[start[i]:start[i] + n_distinct[i]]``. Keys are
    short, so the search for repetitions is linear.
    """
    distinct = np.empty_like(tokens)
    n_distinct = np.zeros(start.size, np.int64)
    for key in range(start.size):
        first = start[key]
        for i in range(first, first + length[key]):
            known = marker[tokens[i]]
            for j in range(first, first + n_distinct[key]):
                known |= distinct[j] == tokens[i]
            if not known:
                distinct[first + n_distinct[key]] = tokens[i]
                n_distinct[key] += 1
    return distinct, n_distinct
