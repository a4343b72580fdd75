"""Passage scores in search: from the weighted keys of B questions to their rank lists."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltrgr.compiled import must_compile, njit
from ltrgr.identifiers.keys import Keys
from ltrgr.index.protocol import Index
from ltrgr.scoring.rank_lists import RankLists
from ltrgr.scoring.scoring_settings import ScoringSettings
from ltrgr.scoring.search.candidate_generation import (
    Accumulators,
    Excluded,
    choose,
    new_accumulators,
    proposals,
    propose,
)
from ltrgr.scoring.search.candidate_scores import score_candidates
from ltrgr.scoring.search.exact_score import Rules
from ltrgr.scoring.search.ranked_keys import RankedKeys, rank_keys
from ltrgr.scoring.search.sharded import score_shard, score_shards
from ltrgr.scoring.search.top_k import Lists, empty_lists
from ltrgr.scoring.search.workspace import Workspace, new_workspace

log = logging.getLogger("ltrgr")

Ranges = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def score_passages(
    keys: Keys,
    weights: NDArray[np.float64],
    index: Index,
    *,
    settings: ScoringSettings,
    marker: NDArray[np.bool_],
    k: int,
    excluded: Ranges | None = None,
) -> RankLists:
    """The k best passages of every question by ``s(q, p) = sum of w(n, q) * coverage(n)``.

    A passage counts its keys in order of falling weight; ties go to the longer key, then to the
    earlier one. A key counts once, through its leftmost occurrence that overlaps no counted one.
    At most ``settings.keys_per_passage`` keys count.

    ``coverage(n) = 1 - b + b * |set(n) - C| / |set(n)|``, where set(n) are the tokens of n without
    markers and C the tokens of the keys counted so far; a key of markers alone has coverage 1
    (SEAL, arXiv 2204.10628; docs/method.md, section 7).

    Rare keys propose passages by the sum of their weights. The best ``settings.candidates`` are
    scored with all keys. Common keys propose only for a question whose rare keys propose nothing.

    Args:
        keys: n keys of B questions, found in ``index``.
        weights: [n] from ``key_weights``; a key of weight 0 does not count.
        marker: [V] True for marker tokens.
        k: length of a rank list; ties go to the lower passage number.
        excluded: (offsets [B + 1], starts, ends), half-open ranges of corpus positions per
            question. An occurrence that touches one is ignored; counts and weights stay.

    Returns:
        B rank lists of k places.

    Raises:
        ValueError: the arrays do not fit each other or the index, or a weight is not finite.
    """
    if k < 1:
        raise ValueError(f"k={k}: expected 1 or more passages per rank list")
    n_questions = len(keys.question_offsets) - 1
    weights = np.asarray(weights, dtype=np.float64)
    if len(marker) < index.vocabulary_size:
        raise ValueError(
            f"marker covers {len(marker)} tokens, the index's vocabulary has "
            f"{index.vocabulary_size}: expected one entry for each token"
        )
    _, rows = index.interval([])  # of the empty key: all
    _check_keys(keys, weights, rows=rows, n_symbols=len(marker))
    ranges = _ranges(excluded, n_questions=n_questions)
    ranked = rank_keys(keys, weights, marker=marker)
    n_keys = np.diff(ranked[0].offsets)
    most = settings.keys_per_passage or max(1, int(n_keys.max(initial=0)))
    rules = Rules(  # exact types: numba compiles again for an int in place of a float
        int(settings.max_candidate_count),
        int(settings.candidates),
        int(most),
        float(settings.coverage),
        bool(settings.overlap),
    )
    lists = empty_lists(n_questions, k, most)
    workspace = new_workspace(ranked[0], rules, n_passages=index.n_passages, n_symbols=len(marker))
    _announce_compilation(_score_batch if len(index) == 1 else score_shard)
    # One shard has its own path: one compiled call does both steps for all questions. Several
    # shards must exchange their proposals between the two steps (`sharded`).
    if len(index) == 1:
        accumulators, everyone = new_accumulators(index.n_passages), (0, n_questions)
        _score_batch(
            ranked[0], index.arrays[0], ranges, rules, accumulators, workspace, everyone, lists
        )
    else:
        score_shards(ranked, index, ranges, rules, workspace, lists)
    passage, score, key, coverage, position = lists
    if settings.keys_per_passage is None:  # no fixed width: as wide as the fullest passage
        used = max(1, int((key >= 0).sum(axis=2).max(initial=0)))
        key, coverage, position = key[..., :used], coverage[..., :used], position[..., :used]
    return RankLists(passage=passage, score=score, key=key, coverage=coverage, position=position)


@njit(cache=True, nogil=True)
def _score_batch(
    ranked: RankedKeys,
    arrays: Any,
    excluded: Excluded,
    rules: Rules,
    accumulators: Accumulators,
    workspace: Workspace,
    questions: tuple[int, int],
    lists: Lists,
) -> None:
    """Fill the lists of the questions ``questions[0]:questions[1]``, one after the other."""
    stamp = 0
    for question in range(questions[0], questions[1]):
        touched = propose(
            ranked, arrays, excluded, accumulators, question, rules.max_candidate_count, False
        )
        if touched.size == 0:
            touched = propose(
                ranked, arrays, excluded, accumulators, question, rules.max_candidate_count, True
            )
        if touched.size == 0:
            continue
        chosen = choose(touched, proposals(touched, accumulators), rules.candidates)
        score_candidates(
            ranked, arrays, excluded, rules, question, chosen, (0, 0), workspace, stamp, lists
        )
        stamp += chosen.size


def _announce_compilation(kernel: Any) -> None:
    """Log a line if numba has to compile the kernels first, because the wait looks like a hang."""
    if must_compile(kernel):
        log.info("compiling scoring kernels (first run only, about 20 seconds)...")


def _ranges(excluded: Ranges | None, *, n_questions: int) -> Excluded:
    if excluded is None:
        none = np.zeros(0, np.int64)
        return Excluded(np.zeros(n_questions + 1, np.int64), none, none)
    offsets, starts, ends = (np.require(part, np.int64, ["C", "W"]) for part in excluded)
    if len(offsets) != n_questions + 1 or len(starts) != len(ends) or offsets[-1] != len(starts):
        raise ValueError(
            f"excluded has {len(offsets)} offsets up to {offsets[-1:]}, {len(starts)} starts and "
            f"{len(ends)} ends; expected {n_questions + 1} offsets, the last one the number of "
            "ranges"
        )
    return Excluded(offsets, starts, ends)


def _check_keys(
    keys: Keys, weights: NDArray[np.float64], *, rows: NDArray[np.int64], n_symbols: int
) -> None:
    """Raise ValueError for keys that do not fit the index; compiled code does not check bounds."""
    if weights.shape != keys.lo.shape[:1]:
        raise ValueError(f"{weights.shape} weights for {len(keys.lo)} keys: expected one each")
    if keys.lo.shape[1] != len(rows) or keys.hi.shape != keys.lo.shape:
        raise ValueError(
            f"keys with the rows of {keys.lo.shape[1]} shards, the index has {len(rows)}: they "
            "belong to another index; build it again with `ltrgr index`"
        )
    if not np.isfinite(weights).all():
        raise ValueError("some weights are not finite: the model's log-probabilities hold nan")
    if not len(weights):
        return
    if keys.lo.min() < 0 or (keys.hi > rows).any() or (keys.hi < keys.lo).any():
        raise ValueError(
            f"keys span the index rows {keys.lo.min()}..{keys.hi.max()}, its shards have "
            f"{rows.tolist()}: they belong to another index; build it again with `ltrgr index`"
        )
    if keys.length.min() < 1:
        raise ValueError("an empty key: expected at least one token in each")
    if keys.tokens.min() < 0 or keys.tokens.max() >= n_symbols:
        raise ValueError(
            f"keys hold the tokens {keys.tokens.min()}..{keys.tokens.max()}, marker covers "
            f"0..{n_symbols - 1}: expected one entry for each token of the vocabulary"
        )
