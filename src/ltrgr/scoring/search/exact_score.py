"""The full score of one passage: it counts the keys one by one, heaviest first (compiled)."""

# ruff: noqa: SIM110  (numba takes no generators)
# To numba, np.int64 and int are one type.
# mypy: disable-error-code="assignment,return-value"
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ltrgr.compiled import njit
from ltrgr.index.kernels import STEP
from ltrgr.scoring.search.bits import lowest_bit
from ltrgr.scoring.search.candidate_generation import Excluded, is_excluded
from ltrgr.scoring.search.key_trie import KeyTrie, step
from ltrgr.scoring.search.ranked_keys import RankedKeys


class Rules(NamedTuple):
    """The settings of ``ScoringSettings`` that the compiled code needs; see there."""

    max_candidate_count: int
    candidates: int
    keys_per_passage: int
    coverage: float
    overlap: bool


class Found(NamedTuple):
    """The occurrences of all keys in one passage: a linked list per key, in reading order."""

    entry: NDArray[np.int32]
    """[longest passage] places whose token begins some key."""
    present: NDArray[np.uint64]
    """[keys / 64] a bit for each key that occurs; zeros between two passages."""
    head: NDArray[np.int32]
    """[keys] each key's first occurrence, an index into ``place``; -1 between two passages."""
    place: NDArray[np.int32]
    """[occurrences] where each begins, in tokens from the begin of the passage."""
    following: NDArray[np.int32]
    """[occurrences] the next occurrence of the same key, or -1."""


class Marks(NamedTuple):
    """Places and tokens that counted keys of the passage occupy.

    A mark is set if it equals the stamp of the passage, so that nothing has to be cleared.
    """

    place: NDArray[np.int64]
    """[longest passage] marks of the places of counted occurrences."""
    token: NDArray[np.int64]
    """[V] marks of the tokens of counted keys."""


class Counted(NamedTuple):
    """The counted keys of all candidates, candidate after candidate, heaviest key first."""

    key: NDArray[np.int32]
    """[counted] number of the key within its question in ``Keys``."""
    coverage: NDArray[np.float32]
    """[counted] its coverage."""
    place: NDArray[np.int32]
    """[counted] where the counted occurrence begins, in tokens from the begin of the passage."""


@njit(**STEP)
def scan(
    trie: KeyTrie,
    arrays: Any,
    ranked: RankedKeys,
    excluded: Excluded,
    question: int,
    begin: int,
    end: int,
    found: Found,
) -> None:
    """Find all keys in ``text[begin:end]`` in one pass and link them in ``found``.

    ``find_entries`` finds the places whose token begins some key, without a branch that depends on
    the text. The trie then matches the keys there, from right to left, so that each key's list
    grows at its head.
    """
    text = arrays.text
    any_excluded = excluded.offsets[question + 1] > excluded.offsets[question]
    n = 0
    for entry in range(find_entries(trie.begins, text, begin, end, found.entry) - 1, -1, -1):
        start = begin + np.int64(found.entry[entry])
        node, stop = np.int64(trie.root[text[start]]), start + 1
        while node >= 0:
            key = np.int64(trie.key[node])
            if any_excluded and is_excluded(excluded, question, start, stop):
                key = np.int64(-1)
            while key >= 0:
                found.present[key >> 6] |= np.uint64(1) << np.uint64(key & 63)
                found.place[n], found.following[n] = start - begin, found.head[key]
                found.head[key] = n
                n += 1
                key = np.int64(trie.same[key])
            if stop == end:
                break
            node = step(trie, node, np.int64(text[stop]))
            stop += 1


@njit(**STEP)
def find_entries(
    begins: NDArray[np.uint64],
    text: NDArray[np.int32],
    begin: int,
    end: int,
    entry: NDArray[np.int32],
) -> int:
    """Write the places whose token begins some key to ``entry``; return their number."""
    n = 0
    for start in range(begin, end):
        token = np.int64(text[start])
        entry[n] = start - begin
        n += np.int64((begins[token >> 6] >> np.uint64(token & 63)) & np.uint64(1))
    return n


@njit(**STEP)
def count_passage(
    ranked: RankedKeys,
    rules: Rules,
    question: int,
    found: Found,
    marks: Marks,
    stamp: int,
    counted: Counted,
    used: int,
) -> tuple[float, int]:
    """The score of one passage: ``sum of weight * coverage`` over its counted keys.

    Keys are counted in order of falling weight, each once, through its leftmost free occurrence.
    The function writes them into ``counted`` from place ``used`` on and clears ``found``.

    Args:
        found: the occurrences in the passage, from ``scan``.
        stamp: a stamp that no other passage of ``marks`` has.

    Returns:
        (score, place in ``counted`` after the passage's last key).
    """
    first = ranked.offsets[question]
    n_words = (ranked.offsets[question + 1] - first + 63) >> 6
    score, room = 0.0, used + rules.keys_per_passage
    for word in range(n_words):
        bits = found.present[word]
        found.present[word] = 0
        while bits:
            local = (word << 6) + lowest_bit(bits)
            bits &= bits - np.uint64(1)
            node, key = np.int64(found.head[local]), first + local
            found.head[local] = -1
            if used == room:
                continue
            place = free_place(found, node, rules.overlap, marks, stamp, ranked.length[key])
            if place < 0:
                continue
            coverage = take(ranked, rules, marks, stamp, key, place)
            score += ranked.weight[key] * coverage
            counted.key[used] = ranked.number[key]
            counted.coverage[used] = coverage
            counted.place[used] = place
            used += 1
    return score, used


@njit(**STEP)
def free_place(
    found: Found, node: int, overlap: bool, marks: Marks, stamp: int, length: int
) -> int:
    """The place of the first occurrence from ``node`` on that overlaps no counted one, or -1.

    With ``overlap``, every occurrence is free.
    """
    while node >= 0:
        place = np.int64(found.place[node])
        if overlap or is_free(marks, stamp, place, length):
            return place
        node = np.int64(found.following[node])
    return np.int64(-1)


@njit(**STEP)
def is_free(marks: Marks, stamp: int, place: int, length: int) -> bool:
    """Whether no counted occurrence occupies any of the ``length`` places from ``place`` on."""
    for i in range(place, place + length):
        if marks.place[i] == stamp:
            return False
    return True


@njit(**STEP)
def take(ranked: RankedKeys, rules: Rules, marks: Marks, stamp: int, key: int, place: int) -> float:
    """Mark the places and tokens of a counted key; return its coverage.

    ``coverage = 1 - b + b * (distinct unmarked tokens) / (distinct tokens)``; 1 for a key of
    markers alone.
    """
    for i in range(place, place + ranked.length[key]):
        marks.place[i] = stamp
    new, n_distinct, start = 0, ranked.n_distinct[key], ranked.start[key]
    for i in range(start, start + n_distinct):
        token = ranked.distinct[i]
        if marks.token[token] != stamp:
            marks.token[token] = stamp
            new += 1
    return 1.0 - rules.coverage + rules.coverage * new / n_distinct if n_distinct else 1.0
