"""Rank lists while they are filled; the lists of several shards are merged (compiled)."""

# To numba, np.int64 and int are one type.
# mypy: disable-error-code="assignment,return-value"
from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ltrgr.compiled import njit
from ltrgr.index.kernels import STEP
from ltrgr.scoring.search.exact_score import Counted


class Lists(NamedTuple):
    """The fields of ``RankLists``, with the same shapes; compiled code fills them."""

    passage: NDArray[np.int32]
    score: NDArray[np.float64]
    key: NDArray[np.int32]
    coverage: NDArray[np.float32]
    position: NDArray[np.int64]


class Scored(NamedTuple):
    """The candidates of one question in one shard, ascending by number, with their full scores."""

    passage: NDArray[np.int32]
    """[n] numbers in the corpus."""
    begin: NDArray[np.int64]
    """[n] first token of each, as a position in the corpus."""
    score: NDArray[np.float64]
    """[n] full scores."""
    ends: NDArray[np.int64]
    """[n] place in ``counted`` after the last key of each."""
    counted: Counted


def empty_lists(n_questions: int, k: int, most: int) -> Lists:
    """Lists of padding: k passages per question, ``most`` keys per passage."""
    return Lists(
        np.full((n_questions, k), -1, np.int32),
        np.full((n_questions, k), -np.inf),
        np.full((n_questions, k, most), -1, np.int32),
        np.zeros((n_questions, k, most), np.float32),
        np.full((n_questions, k, most), -1, np.int64),
    )


@njit(cache=True, nogil=True)
def enter(lists: Lists, question: int, scored: Scored) -> None:
    """Merge the candidates into the list of the question; it keeps the k best in order.

    Ties go to a passage that is already in the list, so shards must come in corpus order.
    """
    k = lists.passage.shape[1]
    best = best_places(scored.score, k)
    held, new = survivors(lists.score[question], lists.passage[question], scored.score, best)
    for place in range(held + new - 1, -1, -1):
        if new == 0:
            break  # the passages in the list keep their places
        candidate = best[new - 1]
        if held > 0 and lists.score[question, held - 1] < scored.score[candidate]:
            held -= 1
            move(lists, question, held, place)
        else:
            new -= 1
            write(lists, question, place, scored, candidate)


@njit(**STEP)
def survivors(
    score: NDArray[np.float64],
    passage: NDArray[np.int32],
    offered: NDArray[np.float64],
    best: NDArray[np.int64],
) -> tuple[int, int]:
    """(passages of the list that stay, ``best`` candidates that enter), best first in both.

    Args:
        score, passage: [k] the list so far.
        offered: [n] scores of the candidates.
        best: places of the best candidates in ``offered``.
    """
    held, new = np.int64(0), np.int64(0)
    while held + new < passage.size:
        any_held = passage[held] >= 0
        if any_held and (new == best.size or score[held] >= offered[best[new]]):
            held += 1
        elif new < best.size:
            new += 1
        else:
            break
    return held, new


@njit(**STEP)
def move(lists: Lists, question: int, source: int, target: int) -> None:
    """Copy place ``source`` of the question's list to place ``target``."""
    lists.passage[question, target] = lists.passage[question, source]
    lists.score[question, target] = lists.score[question, source]
    for j in range(lists.key.shape[2]):
        lists.key[question, target, j] = lists.key[question, source, j]
        lists.coverage[question, target, j] = lists.coverage[question, source, j]
        lists.position[question, target, j] = lists.position[question, source, j]


@njit(**STEP)
def write(lists: Lists, question: int, place: int, scored: Scored, candidate: int) -> None:
    """Write a candidate to a place of the question's list."""
    lists.passage[question, place] = scored.passage[candidate]
    lists.score[question, place] = scored.score[candidate]
    begin = scored.begin[candidate]
    first = scored.ends[candidate - 1] if candidate else 0
    n = scored.ends[candidate] - first
    for j in range(n):
        lists.key[question, place, j] = scored.counted.key[first + j]
        lists.coverage[question, place, j] = scored.counted.coverage[first + j]
        lists.position[question, place, j] = begin + scored.counted.place[first + j]
    for j in range(n, lists.key.shape[2]):
        if lists.key[question, place, j] < 0:
            break  # all places after padding are padding
        lists.key[question, place, j], lists.coverage[question, place, j] = -1, 0
        lists.position[question, place, j] = -1


@njit(cache=True, nogil=True)
def best_places(scores: NDArray[np.float64], k: int) -> NDArray[np.int64]:
    """Places of the k highest of n scores, best first; ties go to the earlier place."""
    if scores.size <= k:
        return np.argsort(-scores, kind="mergesort")
    cut = scores.size - k
    good = np.nonzero(scores >= np.partition(scores, cut)[cut])[0]
    return good[np.argsort(-scores[good], kind="mergesort")][:k]
