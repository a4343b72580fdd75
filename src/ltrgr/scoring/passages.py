"""Passage scores, search face: from the weighed keys of B questions to their rank lists."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ltrgr.identifiers.keys import Keys
from ltrgr.index.arrays import IndexArrays
from ltrgr.index.fm_index import FMIndex
from ltrgr.scoring.full_score import (
    Counted,
    Marks,
    Rules,
    count_passage,
    gather_commons,
    release_commons,
    scan,
)
from ltrgr.scoring.proposals import Excluded, Ledger, bucket, choose, propose
from ltrgr.scoring.rank_lists import RankLists
from ltrgr.scoring.ranked_keys import RankedKeys, rank_keys
from ltrgr.scoring.settings import Scoring

log = logging.getLogger("ltrgr")

Ranges = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def score_passages(
    keys: Keys,
    weights: NDArray[np.float64],
    index: FMIndex,
    *,
    settings: Scoring,
    marker: NDArray[np.bool_],
    k: int,
    excluded: Ranges | None = None,
) -> RankLists:
    """The k best passages of every question: ``s(q, p) = sum of w(n, q) * cover(n)``.

    Keys are counted in order of decreasing weight (ties: longer, then earlier), each once,
    through its leftmost occurrence in p that overlaps no counted one, and at most
    ``settings.keys_per_passage`` of them. ``cover(n) = 1 - b + b * |set(n) - C| / |set(n)|``:
    set(n) are n's tokens without markers, C those of the keys already counted in p; a key of
    markers alone has cover 1 (SEAL, arXiv 2204.10628).

    Rare keys propose passages by the sum of their weights, the best ``settings.candidates`` are
    scored with all keys; where no rare key finds a passage, common keys propose.

    Args:
        weights: [n] of ``key_weights``; keys of weight 0 are left out.
        marker: [V] True for marker tokens.
        k: length of a rank list; ties go to the lower passage number.
        excluded: (offsets [B + 1], starts, ends), half-open ranges of corpus positions per
            question; an occurrence that touches one is ignored. Counts and weights stay.

    Raises:
        ValueError: arrays that do not fit each other or the index.
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
    _check_keys(keys, weights, rows=len(index.arrays.suffix_array), n_symbols=len(marker))
    ranges = _ranges(excluded, n_questions=n_questions)
    ranked = rank_keys(keys, weights, marker=marker)
    most = settings.keys_per_passage or max(1, int(np.diff(ranked.offsets).max(initial=0)))
    rules = Rules(  # exact types: an int where a float is expected would compile once more
        int(settings.rare),
        int(settings.candidates),
        int(most),
        float(settings.cover),
        bool(settings.overlap),
    )
    lists = _empty_lists(n_questions, k, most)
    n_passages = index.n_passages
    ledger = Ledger(
        np.zeros(n_passages), np.zeros(n_passages, np.int64), np.zeros(n_passages, np.int32)
    )
    _announce_compilation()
    _score_batch(ranked, index.arrays, ranges, rules, ledger, len(marker), *lists)
    passage, score, key, cover, position = lists
    if settings.keys_per_passage is None:  # no fixed width: as wide as the fullest passage
        used = max(1, int((key >= 0).sum(axis=2).max(initial=0)))
        key, cover, position = key[..., :used], cover[..., :used], position[..., :used]
    return RankLists(passage=passage, score=score, key=key, cover=cover, position=position)


@njit(cache=True)
def _score_batch(
    ranked: RankedKeys,
    arrays: IndexArrays,
    excluded: Excluded,
    rules: Rules,
    ledger: Ledger,
    n_symbols: int,
    passage: NDArray[np.int32],
    score: NDArray[np.float64],
    key: NDArray[np.int32],
    cover: NDArray[np.float32],
    position: NDArray[np.int64],
) -> None:
    """Fills the padded lists, question by question, in one compiled call."""
    by_token = np.full(n_symbols, -1, np.int32)
    token_marks = np.zeros(n_symbols, np.int64)
    stamp = 0
    for question in range(ranked.offsets.size - 1):
        touched, hits = propose(ranked, arrays, excluded, ledger, question, rules.rare, False)
        if touched.size == 0:
            touched, hits = propose(ranked, arrays, excluded, ledger, question, rules.rare, True)
        chosen = choose(touched, ledger.proposal, rules.candidates)
        if chosen.size == 0:
            continue
        found = bucket(hits, chosen, ledger.slot)
        scores, counted = _score_chosen(
            ranked, arrays, excluded, rules, question, chosen, found, by_token, token_marks, stamp
        )
        stamp += chosen.size
        # `chosen` is in passage order and the sort is stable: ties go to the lower number.
        best = np.argsort(-scores, kind="mergesort")[: passage.shape[1]]
        for place in range(best.size):
            i = best[place]
            passage[question, place] = chosen[i]
            score[question, place] = scores[i]
            key[question, place] = counted.key[i]
            cover[question, place] = counted.cover[i]
            position[question, place] = counted.position[i]


@njit(cache=True)
def _score_chosen(
    ranked: RankedKeys,
    arrays: IndexArrays,
    excluded: Excluded,
    rules: Rules,
    question: int,
    chosen: NDArray[np.int32],
    found: tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]],
    by_token: NDArray[np.int32],
    token_marks: NDArray[np.int64],
    stamp: int,
) -> tuple[NDArray[np.float64], Counted]:
    """Full scores of a question's candidates; marks use the stamps after ``stamp``."""
    offsets, rare_key, rare_position = found
    begins, ends = arrays.passage_offsets[chosen], arrays.passage_offsets[chosen + 1]
    longest = (ends - begins).max()
    commons = gather_commons(ranked, question, rules.rare, longest, by_token)
    marks = Marks(np.zeros(longest, np.int64), token_marks)
    shape = (chosen.size, rules.keys_per_passage)
    counted = Counted(
        np.full(shape, -1, np.int32), np.zeros(shape, np.float32), np.full(shape, -1, np.int64)
    )
    scores = np.empty(chosen.size)
    for i in range(chosen.size):
        if commons.key.size:
            scan(ranked, arrays, excluded, question, commons, by_token, begins[i], ends[i])
        own = slice(offsets[i], offsets[i + 1])
        scores[i] = count_passage(
            ranked,
            rules,
            rare_key[own],
            rare_position[own],
            commons,
            marks,
            stamp + 1 + i,
            begins[i],
            counted,
            i,
        )
    release_commons(ranked, commons, by_token)
    return scores, counted


def _announce_compilation() -> None:
    """Says so if numba finds no compiled kernels here: the wait looks like a hang."""
    cached = Path(_score_batch.stats.cache_path)
    if not _score_batch.signatures and not any(cached.glob("passages._score_batch*.nbi")):
        log.info("compiling scoring kernels (first run only, about 20 seconds)...")


def _empty_lists(
    n_questions: int, k: int, most: int
) -> tuple[
    NDArray[np.int32],
    NDArray[np.float64],
    NDArray[np.int32],
    NDArray[np.float32],
    NDArray[np.int64],
]:
    return (
        np.full((n_questions, k), -1, np.int32),
        np.full((n_questions, k), -np.inf),
        np.full((n_questions, k, most), -1, np.int32),
        np.zeros((n_questions, k, most), np.float32),
        np.full((n_questions, k, most), -1, np.int64),
    )


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


def _check_keys(keys: Keys, weights: NDArray[np.float64], *, rows: int, n_symbols: int) -> None:
    """Compiled code does not look before it reads: what does not fit must stop here."""
    if weights.shape != keys.lo.shape[:1]:
        raise ValueError(f"{weights.shape} weights for {len(keys.lo)} keys: expected one each")
    if keys.lo.shape[1] != 1:
        raise ValueError(
            f"keys of an index of {keys.lo.shape[1]} shards: passages can be scored in one shard "
            "only so far; mend with `ltrgr index`, unsharded"
        )
    if not np.isfinite(weights).all():
        raise ValueError("some weights are not finite: the model's log-probabilities hold nan")
    if not len(weights):
        return
    if keys.lo.min() < 0 or keys.hi.max() > rows or (keys.hi < keys.lo).any():
        raise ValueError(
            f"keys span the index rows {keys.lo.min()}..{keys.hi.max()}, the index has {rows}: "
            "they belong to another index; mend with `ltrgr index`"
        )
    if keys.length.min() < 1:
        raise ValueError("an empty key: expected at least one token in each")
    if keys.tokens.min() < 0 or keys.tokens.max() >= n_symbols:
        raise ValueError(
            f"keys hold the tokens {keys.tokens.min()}..{keys.tokens.max()}, marker covers "
            f"0..{n_symbols - 1}: expected one entry for each token of the vocabulary"
        )
