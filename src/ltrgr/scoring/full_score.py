"""The full score of one passage: its keys counted one by one, heaviest first (compiled)."""

# ruff: noqa: SIM110  (numba takes no keyword-only arguments and no generators)
from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ltrgr.index.arrays import IndexArrays
from ltrgr.scoring.proposals import Excluded, is_excluded
from ltrgr.scoring.ranked_keys import RankedKeys

NO_KEY = np.int64(1) << 62


class Rules(NamedTuple):
    """The numbers of ``Scoring`` that the compiled code needs."""

    rare: int
    candidates: int
    keys_per_passage: int
    cover: float
    overlap: bool


class Commons(NamedTuple):
    """The question's common keys, heaviest first, and where one passage holds them.

    Occurrences are linked lists in reading order, so that a passage can be scanned once for all.
    """

    key: NDArray[np.int64]
    """[M] places in ``RankedKeys``."""
    sibling: NDArray[np.int32]
    """[M] the next common key with the same first token, else -1."""
    head: NDArray[np.int32]
    tail: NDArray[np.int32]
    """[M] first and last node of each key, else -1."""
    node_position: NDArray[np.int64]
    node_next: NDArray[np.int32]


class Marks(NamedTuple):
    """What the passage has used up; a mark equal to the running stamp is set."""

    position: NDArray[np.int64]
    """[longest passage] positions of counted occurrences."""
    token: NDArray[np.int64]
    """[V] tokens of counted keys."""


class Counted(NamedTuple):
    """Counted keys of each candidate, heaviest first, [candidates, K]."""

    key: NDArray[np.int32]
    cover: NDArray[np.float32]
    position: NDArray[np.int64]


@njit(cache=True)
def gather_commons(
    ranked: RankedKeys, question: int, rare: int, longest: int, by_token: NDArray[np.int32]
) -> Commons:
    """Lists the common keys and chains them by first token from ``by_token`` [V], -1 elsewhere."""
    first, last = ranked.offsets[question], ranked.offsets[question + 1]
    widths = ranked.hi[first:last] - ranked.lo[first:last]
    key = first + np.nonzero(widths > rare)[0]
    sibling = np.full(key.size, -1, np.int32)
    longest_key = 0
    for i in range(key.size):
        token = ranked.tokens[ranked.start[key[i]]]
        sibling[i] = by_token[token]
        by_token[token] = i
        longest_key = max(longest_key, ranked.length[key[i]])
    # Distinct keys that match at one position are prefixes of each other: one for each length.
    nodes = longest * min(key.size, longest_key)
    return Commons(
        key,
        sibling,
        np.empty(key.size, np.int32),
        np.empty(key.size, np.int32),
        np.empty(nodes, np.int64),
        np.empty(nodes, np.int32),
    )


@njit(cache=True)
def release_commons(ranked: RankedKeys, commons: Commons, by_token: NDArray[np.int32]) -> None:
    """Clears what ``gather_commons`` wrote into ``by_token``."""
    for i in range(commons.key.size):
        by_token[ranked.tokens[ranked.start[commons.key[i]]]] = -1


@njit(cache=True)
def scan(
    ranked: RankedKeys,
    arrays: IndexArrays,
    excluded: Excluded,
    question: int,
    commons: Commons,
    by_token: NDArray[np.int32],
    begin: int,
    end: int,
) -> None:
    """Finds all common keys in ``text[begin:end]`` in one pass."""
    commons.head[:] = -1
    n_nodes = 0
    for position in range(begin, end):
        i = by_token[arrays.text[position]]
        while i >= 0:
            key = commons.key[i]
            if matches(ranked, arrays, key, position, end) and not is_excluded(
                excluded, question, position, position + ranked.length[key]
            ):
                commons.node_position[n_nodes] = position
                commons.node_next[n_nodes] = -1
                if commons.head[i] < 0:
                    commons.head[i] = n_nodes
                else:
                    commons.node_next[commons.tail[i]] = n_nodes
                commons.tail[i] = n_nodes
                n_nodes += 1
            i = commons.sibling[i]


@njit(cache=True)
def matches(ranked: RankedKeys, arrays: IndexArrays, key: int, position: int, end: int) -> bool:
    """Whether the key stands at ``position``; its first token is known to."""
    length, start = ranked.length[key], ranked.start[key]
    if position + length > end:
        return False
    for i in range(1, length):
        if arrays.text[position + i] != ranked.tokens[start + i]:
            return False
    return True


@njit(cache=True)
def count_passage(
    ranked: RankedKeys,
    rules: Rules,
    rare_key: NDArray[np.int32],
    rare_position: NDArray[np.int64],
    commons: Commons,
    marks: Marks,
    stamp: int,
    begin: int,
    counted: Counted,
    row: int,
) -> float:
    """``sum of weight * cover`` over the counted keys of the passage that starts at ``begin``.

    Merges the passage's rare hits with its common ones, heaviest key first. A key counts once,
    through its leftmost occurrence that is free. Writes the counted keys into ``counted[row]``.
    """
    score, n_counted, hit, common = 0.0, 0, 0, 0
    while n_counted < rules.keys_per_passage:
        rare = np.int64(rare_key[hit]) if hit < rare_key.size else NO_KEY
        other = commons.key[common] if common < commons.key.size else NO_KEY
        key = min(rare, other)
        if key == NO_KEY:
            break
        length, start = ranked.length[key], NO_KEY
        if key == rare:
            while hit < rare_key.size and rare_key[hit] == key:
                position = rare_position[hit]
                if position < start and (
                    rules.overlap or is_free(marks, stamp, position - begin, length)
                ):
                    start = position
                hit += 1
        else:
            node = commons.head[common]
            while node >= 0 and start == NO_KEY:
                position = commons.node_position[node]
                if rules.overlap or is_free(marks, stamp, position - begin, length):
                    start = position
                node = commons.node_next[node]
            common += 1
        if start == NO_KEY:
            continue
        cover = take(ranked, rules, marks, stamp, key, start - begin)
        score += ranked.weight[key] * cover
        counted.key[row, n_counted] = ranked.number[key]
        counted.cover[row, n_counted] = cover
        counted.position[row, n_counted] = start
        n_counted += 1
    return score


@njit(cache=True)
def is_free(marks: Marks, stamp: int, place: int, length: int) -> bool:
    """Whether no counted occurrence holds any of the ``length`` positions from ``place``."""
    for i in range(place, place + length):
        if marks.position[i] == stamp:
            return False
    return True


@njit(cache=True)
def take(ranked: RankedKeys, rules: Rules, marks: Marks, stamp: int, key: int, place: int) -> float:
    """Marks the key's positions and tokens; returns ``1 - b + b * new tokens / its tokens``."""
    for i in range(place, place + ranked.length[key]):
        marks.position[i] = stamp
    new, n_distinct, start = 0, ranked.n_distinct[key], ranked.start[key]
    for i in range(start, start + n_distinct):
        token = ranked.distinct[i]
        if marks.token[token] != stamp:
            marks.token[token] = stamp
            new += 1
    return 1.0 - rules.cover + rules.cover * new / n_distinct if n_distinct else 1.0
