"""Passage scores over several shards, equal bit for bit to those of a single shard.

A passage is in one shard and counts its keys there in the same order, so its sum is the same. Two
decisions need all shards: which proposals become candidates, and which questions have no proposal
by a rare key. They are made between candidate generation and full scoring.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ltrgr.compiled import njit
from ltrgr.csr import csr_offsets, csr_owners
from ltrgr.index.protocol import Index
from ltrgr.scoring.search.candidate_generation import (
    Accumulators,
    Excluded,
    choose,
    new_accumulators,
    propose,
)
from ltrgr.scoring.search.candidate_scores import score_candidates
from ltrgr.scoring.search.exact_score import Rules
from ltrgr.scoring.search.ranked_keys import RankedKeys
from ltrgr.scoring.search.top_k import Lists
from ltrgr.scoring.search.workspace import Workspace

Integers = NDArray[np.int64]

ROOM = 1 << 22
"""Most proposals in memory at a time, 12 bytes each; further questions form the next group."""


class Proposed(NamedTuple):
    """The proposals of G questions in S shards; each (question, shard) owns a range of places."""

    begin: Integers
    """[G, S] first place of the range in ``passage`` and ``weight``."""
    size: Integers
    """[G, S] used places of the range."""
    passage: NDArray[np.int32]
    """numbers in the corpus, in order of discovery"""
    weight: NDArray[np.float64]
    """the sum of the proposing keys' weights"""


class Chosen(NamedTuple):
    """The candidates of G questions in CSR form."""

    offsets: Integers
    """[G + 1] candidates of question g are ``passage[offsets[g]:offsets[g + 1]]``"""
    passage: NDArray[np.int32]
    """numbers in the corpus, ascending within a question"""


def score_shards(
    ranked: Sequence[RankedKeys],
    index: Index,
    excluded: Excluded,
    rules: Rules,
    workspace: Workspace,
    lists: Lists,
) -> None:
    """Fill the padded lists of all questions; each step is one compiled call per shard.

    Args:
        ranked: the same keys for each shard, with their rows in that shard.
        excluded: ranges of positions in the corpus.
    """
    ranges = [
        of_shard(excluded, int(first), int(last - first))
        for first, last in pairwise(index.first_token)
    ]
    chosen = choose_passages(ranked, index, ranges, rules)
    stamp = 0
    for shard, arrays in enumerate(index.arrays):
        first, last = (int(n) for n in index.first_passage[shard : shard + 2])
        span = (first, last, int(index.first_token[shard]))
        score_shard(
            ranked[shard], arrays, ranges[shard], rules, chosen, span, workspace, stamp, lists
        )
        stamp += len(chosen.passage)


def of_shard(excluded: Excluded, first: int, n_tokens: int) -> Excluded:
    """The ranges that touch a shard, as positions in the shard.

    Args:
        excluded: ranges of positions in the corpus.
        first: the shard's first token.
        n_tokens: tokens of the shard.
    """
    starts, ends = excluded.starts - first, excluded.ends - first
    here = (starts < n_tokens) & (ends > 0)
    return Excluded(csr_offsets(here)[excluded.offsets], starts[here], ends[here])


def choose_passages(
    ranked: Sequence[RankedKeys], index: Index, excluded: Sequence[Excluded], rules: Rules
) -> Chosen:
    """The best ``rules.candidates`` proposals of each question over all shards.

    Common keys propose only for the questions whose rare keys propose nothing in any shard.
    """
    everyone = np.arange(len(ranked[0].offsets) - 1)
    by_rare = _chosen(ranked, index, excluded, rules, everyone, False)
    left = everyone[np.diff(by_rare.offsets) == 0]
    by_common = _chosen(ranked, index, excluded, rules, left, True)
    owner = np.concatenate((csr_owners(by_rare.offsets), left[csr_owners(by_common.offsets)]))
    passage = np.concatenate((by_rare.passage, by_common.passage))
    sizes = np.bincount(owner, minlength=len(everyone))
    return Chosen(csr_offsets(sizes), passage[np.argsort(owner, kind="stable")])


def _chosen(
    ranked: Sequence[RankedKeys],
    index: Index,
    excluded: Sequence[Excluded],
    rules: Rules,
    questions: Integers,
    common: bool,
) -> Chosen:
    """The candidates that rare (with ``common``: common) keys give the ``questions``."""
    bound = _bounds(ranked, index, rules, common)[questions]
    parts = []
    for group in _groups(bound.sum(axis=1)):
        begin = csr_offsets(bound[group].ravel())
        proposed = Proposed(
            begin[:-1].reshape(-1, len(index)),
            np.zeros((len(group), len(index)), np.int64),
            np.empty(begin[-1], np.int32),
            np.empty(begin[-1]),
        )
        for shard, arrays in enumerate(index.arrays):
            first, last = (int(n) for n in index.first_passage[shard : shard + 2])
            accumulators, own = (
                new_accumulators(last - first),
                (ranked[shard], arrays, excluded[shard]),
            )
            _propose(
                *own,
                accumulators,
                questions[group],
                rules.max_candidate_count,
                common,
                shard,
                first,
                proposed,
            )
        parts.append(_choose(proposed, rules.candidates))
    sizes = np.concatenate([np.zeros(0, np.int64), *(sizes for sizes, _ in parts)])
    return Chosen(
        csr_offsets(sizes), np.concatenate([np.zeros(0, np.int32), *(best for _, best in parts)])
    )


def _bounds(ranked: Sequence[RankedKeys], index: Index, rules: Rules, common: bool) -> Integers:
    """[B, S] upper bound on the number of proposals: one for each occurrence of a key."""
    counts = np.stack([own.hi - own.lo for own in ranked], axis=1)
    counts[(ranked[0].total > rules.max_candidate_count) != common] = 0
    before = np.concatenate((np.zeros((1, len(index)), np.int64), np.cumsum(counts, axis=0)))
    bound: Integers = np.minimum(
        np.diff(before[ranked[0].offsets], axis=0), np.diff(index.first_passage)
    )
    return bound


def _groups(bound: Integers) -> list[Integers]:
    """Groups of consecutive questions with about ``ROOM`` proposals each.

    Args:
        bound: [B] most proposals of each question; a single question may exceed ``ROOM``.
    """
    if not len(bound):
        return []
    number = (np.cumsum(bound) - bound) // ROOM
    return np.split(np.arange(len(bound)), np.flatnonzero(np.diff(number)) + 1)


@njit(cache=True, nogil=True)
def _propose(
    ranked: RankedKeys,
    arrays: Any,
    excluded: Excluded,
    accumulators: Accumulators,
    questions: Integers,
    max_candidate_count: int,
    common: bool,
    shard: int,
    first: int,
    proposed: Proposed,
) -> None:
    """Write the proposals of a shard. ``questions`` ascend, because the ledger's stamps grow."""
    for i in range(questions.size):
        touched = propose(
            ranked, arrays, excluded, accumulators, questions[i], max_candidate_count, common
        )
        begin = proposed.begin[i, shard]
        for j in range(touched.size):
            proposed.passage[begin + j] = touched[j] + first
            proposed.weight[begin + j] = accumulators.passage[touched[j], 0]
        proposed.size[i, shard] = touched.size


@njit(cache=True, nogil=True)
def _choose(proposed: Proposed, candidates: int) -> tuple[Integers, NDArray[np.int32]]:
    """(number of candidates [G], candidates of all questions, ascending within a question)."""
    found = proposed.size.sum(axis=1)
    sizes = np.minimum(found, candidates)
    best = np.empty(sizes.sum(), np.int32)
    used = 0
    for i in range(found.size):
        passage, weight = np.empty(found[i], np.int32), np.empty(found[i])
        n = 0
        for shard in range(proposed.size.shape[1]):
            begin, size = proposed.begin[i, shard], proposed.size[i, shard]
            passage[n : n + size] = proposed.passage[begin : begin + size]
            weight[n : n + size] = proposed.weight[begin : begin + size]
            n += size
        best[used : used + sizes[i]] = choose(passage, weight, candidates)
        used += sizes[i]
    return sizes, best


@njit(cache=True, nogil=True)
def score_shard(
    ranked: RankedKeys,
    arrays: Any,
    excluded: Excluded,
    rules: Rules,
    chosen: Chosen,
    span: tuple[int, int, int],
    workspace: Workspace,
    stamp: int,
    lists: Lists,
) -> None:
    """Score the candidates in one shard and enter them into the lists of all questions.

    Args:
        span: the shard's first passage, the next shard's, and the shard's first token.
    """
    first, last, token = span
    for question in range(chosen.offsets.size - 1):
        own = chosen.passage[chosen.offsets[question] : chosen.offsets[question + 1]]
        own = own[np.searchsorted(own, first) : np.searchsorted(own, last)]
        if own.size == 0:
            continue
        local = (own - first).astype(np.int32)
        score_candidates(
            ranked,
            arrays,
            excluded,
            rules,
            question,
            local,
            (first, token),
            workspace,
            stamp,
            lists,
        )
        stamp += own.size
