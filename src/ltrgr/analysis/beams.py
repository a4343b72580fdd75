"""What became of the gold identifier on the beam: its rank by depth, and its end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltrgr.analysis.gold import Gold
from ltrgr.decoding.beam_search import SearchedView
from ltrgr.identifiers.keys import Keys
from ltrgr.identifiers.tokenised import csr_offsets

OFF = np.iinfo(np.int64).max
"""rank of what is not on the beam"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypotheses:
    """The n keys of one view's search, seen against the gold."""

    question: NDArray[np.int64]
    """[n]"""
    depth: NDArray[np.int64]
    """[n] tokens generated: the begin marker does not count"""
    log_probability: NDArray[np.float32]
    """[n]"""
    gold: NDArray[np.bool_]
    """[n] begins a gold identifier of its question"""
    ended: NDArray[np.bool_]
    """[n] took the end marker"""
    whole: NDArray[np.bool_]
    """[n] is an identifier: ended, or of full length in a view without markers"""


def against_gold(keys: Keys, *, gold: Gold, view: SearchedView) -> Hypotheses:
    """Mark each key of one view's search."""
    given = 1 if view.begin >= 0 else 0
    depth = keys.length - given
    first = np.zeros(len(keys.tokens), dtype=np.bool_)
    first[keys.token_offsets[:-1]] = given > 0
    ended = np.zeros(len(depth), dtype=np.bool_)
    if view.end >= 0:
        ended = keys.tokens[keys.token_offsets[1:] - 1] == view.end
    return Hypotheses(
        question=keys.question,
        depth=depth,
        log_probability=keys.log_probability,
        gold=gold.begins_with(keys.tokens[~first], csr_offsets(depth), keys.question),
        ended=ended,
        whole=ended if view.end >= 0 else depth == view.steps,
    )


def own_prefix(greedy: Hypotheses, *, questions: int, steps: int) -> NDArray[np.bool_]:
    """[B, T] whether the first t + 1 tokens of the greedy decoding are those of a gold identifier.

    Args:
        greedy: a search with one beam. Its path ends with the end marker where that was the
            likeliest token (the beam goes on with the next best, which is not the path); from
            there on, and where the index allows nothing more, the last entry is repeated.
    """
    end = np.full(questions, steps + 1, dtype=np.int64)
    np.minimum.at(end, greedy.question[greedy.ended], greedy.depth[greedy.ended])
    path = (greedy.depth < end[greedy.question]) | (
        greedy.ended & (greedy.depth == end[greedy.question])
    )
    flags = np.zeros((questions, steps), dtype=np.bool_)
    flags[greedy.question[path], greedy.depth[path] - 1] = greedy.gold[path]
    reached = np.ones(questions, dtype=np.int64)
    np.maximum.at(reached, greedy.question[path], greedy.depth[path])
    return flags[np.arange(questions)[:, None], np.minimum(np.arange(steps), reached[:, None] - 1)]


def gold_rank(found: Hypotheses, *, questions: int, steps: int) -> NDArray[np.int64]:
    """[B, T] rank by log p of the best gold prefix of t + 1 tokens among all hypotheses as long.

    1 is the best; ``OFF`` where none is on the beam. A gold identifier that ended keeps its rank.
    """
    order = np.lexsort((-found.log_probability, found.depth, found.question))
    group = found.question[order] * (steps + 1) + found.depth[order]
    change = np.flatnonzero(np.diff(group, prepend=-1))
    place = np.arange(len(order)) - np.repeat(change, np.diff(change, append=len(order)))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = place + 1
    best = np.full((questions, steps), OFF)
    gold = found.gold
    np.minimum.at(best, (found.question[gold], found.depth[gold] - 1), rank[gold])
    finished = np.full((questions, steps), OFF)
    done = gold & found.ended
    np.minimum.at(finished, (found.question[done], found.depth[done] - 1), rank[done])
    return np.minimum(best, np.minimum.accumulate(finished, axis=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """The whole keys that the search returned for each question."""

    gold: NDArray[np.bool_]
    """[B] a gold identifier is among them"""
    best: NDArray[np.float32]
    """[B] highest log p, -inf where none was returned"""
    worst: NDArray[np.float32]
    """[B] lowest log p, -inf where none was returned"""


def returned(found: Hypotheses, *, questions: int) -> Returned:
    """Look only at whole keys."""
    whole = found.whole
    gold = np.zeros(questions, dtype=np.bool_)
    gold[found.question[whole & found.gold]] = True
    best = np.full(questions, -np.inf, dtype=np.float32)
    worst = np.full(questions, np.inf, dtype=np.float32)
    np.maximum.at(best, found.question[whole], found.log_probability[whole])
    np.minimum.at(worst, found.question[whole], found.log_probability[whole])
    return Returned(gold=gold, best=best, worst=np.where(np.isfinite(best), worst, best))
