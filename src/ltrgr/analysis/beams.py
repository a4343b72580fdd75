"""The gold identifier on the beam: its rank at each depth, and whether it was returned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltrgr.analysis.gold import Gold
from ltrgr.csr import csr_offsets, csr_places
from ltrgr.decoding.beam_search import SearchedView
from ltrgr.identifiers.keys import Keys

OFF = np.iinfo(np.int64).max
"""rank of a prefix that is not on the beam"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypotheses:
    """The n keys of one view's search, compared with the gold identifiers."""

    question: NDArray[np.int64]
    """[n] question of each key"""
    depth: NDArray[np.int64]
    """[n] generated tokens, so without the begin marker"""
    log_probability: NDArray[np.float32]
    """[n] log p(key | question), nats"""
    gold: NDArray[np.bool_]
    """[n] the key is a prefix of a gold identifier of its question"""
    ended: NDArray[np.bool_]
    """[n] the key ends with the end marker"""
    whole: NDArray[np.bool_]
    """[n] the key is an identifier: it ended, or has full length in a free view"""


def against_gold(keys: Keys, *, gold: Gold, view: SearchedView) -> Hypotheses:
    """Compare each key of one view's search with the gold identifiers."""
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
        whole=ended if view.end >= 0 else depth == view.max_new_tokens,
    )


def free_running_prefix(greedy: Hypotheses, *, questions: int, steps: int) -> NDArray[np.bool_]:
    """[B, T] whether the first t + 1 tokens of greedy decoding begin a gold identifier.

    Args:
        greedy: a search with one beam (free-running). The greedy path ends where the end marker was
            the likeliest token; the beam itself goes on with the next best token, which is not on
            the path. After the end, or where the index allows no token, the last entry is repeated.
        questions, steps: B and T.
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


def ends_in_gold(greedy: Hypotheses, *, questions: int) -> NDArray[np.bool_]:
    """[B] whether greedy decoding ends in a whole gold identifier.

    Args:
        greedy: a search with one beam. Its path ends with the first end marker (the beam goes on
            with the next best token, which is not the path) or, in a view without markers, at
            full length; one that stops short of it is no identifier.
    """
    first = np.full(questions, OFF)
    np.minimum.at(first, greedy.question[greedy.ended], greedy.depth[greedy.ended])
    at_end = ~greedy.ended | (greedy.depth == first[greedy.question])
    right = np.zeros(questions, dtype=np.bool_)
    right[greedy.question[greedy.whole & greedy.gold & at_end]] = True
    return right


def gold_rank(found: Hypotheses, *, questions: int, steps: int) -> NDArray[np.int64]:
    """[B, T] rank of the best gold prefix of t + 1 tokens among all hypotheses of that length.

    Ranks are by log p, 1 is the best; ``OFF`` if no gold prefix is on the beam. A gold identifier
    that ended keeps its rank at later steps.
    """
    order = np.lexsort((-found.log_probability, found.depth, found.question))
    group = found.question[order] * (steps + 1) + found.depth[order]
    change = np.flatnonzero(np.diff(group, prepend=-1))
    place = csr_places(np.diff(change, append=len(order)))
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
    """The whole keys that the search returned for each of B questions, summarised."""

    gold: NDArray[np.bool_]
    """[B] whether a gold identifier is among them"""
    best: NDArray[np.float32]
    """[B] highest log p, -inf without a whole key"""
    worst: NDArray[np.float32]
    """[B] lowest log p, -inf without a whole key"""


def returned(found: Hypotheses, *, questions: int) -> Returned:
    """Summarise the whole keys of each question."""
    whole = found.whole
    gold = np.zeros(questions, dtype=np.bool_)
    gold[found.question[whole & found.gold]] = True
    best = np.full(questions, -np.inf, dtype=np.float32)
    worst = np.full(questions, np.inf, dtype=np.float32)
    np.maximum.at(best, found.question[whole], found.log_probability[whole])
    np.minimum.at(worst, found.question[whole], found.log_probability[whole])
    return Returned(gold=gold, best=best, worst=np.where(np.isfinite(best), worst, best))
