"""Passage scores, search face: from the weighed keys of B questions to their rank lists."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ltrgr.identifiers.keys import Keys
from ltrgr.index.arrays import IndexArrays
from ltrgr.index.fm_index import FMIndex
from ltrgr.scoring.full_score import Found, Marks, Rules, count_passage, scan
from ltrgr.scoring.key_trie import plant, uproot
from ltrgr.scoring.proposals import Excluded, choose, propose
from ltrgr.scoring.rank_lists import RankLists
from ltrgr.scoring.ranked_keys import RankedKeys, rank_keys
from ltrgr.scoring.scratch import Scratch, new_scratch
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
    scratch = new_scratch(ranked, rules, n_passages=index.n_passages, n_symbols=len(marker))
    _announce_compilation()
    _score_batch(ranked, index.arrays, ranges, rules, scratch, (0, n_questions), lists)
    passage, score, key, cover, position = lists
    if settings.keys_per_passage is None:  # no fixed width: as wide as the fullest passage
        used = max(1, int((key >= 0).sum(axis=2).max(initial=0)))
        key, cover, position = key[..., :used], cover[..., :used], position[..., :used]
    return RankLists(passage=passage, score=score, key=key, cover=cover, position=position)


class Lists(NamedTuple):
    """The fields of ``RankLists``, to be filled."""

    passage: NDArray[np.int32]
    score: NDArray[np.float64]
    key: NDArray[np.int32]
    cover: NDArray[np.float32]
    position: NDArray[np.int64]


@njit(cache=True, nogil=True)
def _score_batch(
    ranked: RankedKeys,
    arrays: IndexArrays,
    excluded: Excluded,
    rules: Rules,
    scratch: Scratch,
    questions: tuple[int, int],
    lists: Lists,
) -> None:
    """Fills the padded lists of the questions from..to, one by one, in one compiled call."""
    stamp = 0
    for question in range(questions[0], questions[1]):
        ledger = scratch.ledger
        touched = propose(ranked, arrays, excluded, ledger, question, rules.rare, False)
        if touched.size == 0:
            touched = propose(ranked, arrays, excluded, ledger, question, rules.rare, True)
        chosen = choose(touched, ledger, rules.candidates)
        if chosen.size == 0:
            continue
        scores, ends = _score_chosen(
            ranked, arrays, excluded, rules, question, chosen, scratch, stamp
        )
        stamp += chosen.size
        best = best_places(scores, lists.passage.shape[1])
        for place in range(best.size):
            i = best[place]
            lists.passage[question, place] = chosen[i]
            lists.score[question, place] = scores[i]
            begin, first = arrays.passage_offsets[chosen[i]], ends[i - 1] if i else 0
            for j in range(ends[i] - first):
                lists.key[question, place, j] = scratch.counted.key[first + j]
                lists.cover[question, place, j] = scratch.counted.cover[first + j]
                lists.position[question, place, j] = begin + scratch.counted.place[first + j]


@njit(cache=True, nogil=True)
def _score_chosen(
    ranked: RankedKeys,
    arrays: IndexArrays,
    excluded: Excluded,
    rules: Rules,
    question: int,
    chosen: NDArray[np.int32],
    scratch: Scratch,
    stamp: int,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Full scores of a question's candidates, and where each one's counted keys end.

    Marks use the stamps after ``stamp``.
    """
    longest = (arrays.passage_offsets[chosen + 1] - arrays.passage_offsets[chosen]).max()
    n_found = longest * plant(scratch.trie, ranked, question)
    found = Found(
        np.empty(longest, np.int32),
        scratch.present,
        scratch.head,
        np.empty(n_found, np.int32),
        np.empty(n_found, np.int32),
    )
    marks = Marks(np.zeros(longest, np.int64), scratch.token_marks)
    scores, ends = np.empty(chosen.size), np.empty(chosen.size, np.int64)
    used = 0
    for i in range(chosen.size):
        begin, end = arrays.passage_offsets[chosen[i]], arrays.passage_offsets[chosen[i] + 1]
        scan(scratch.trie, arrays, ranked, excluded, question, begin, end, found)
        scores[i], used = count_passage(
            ranked, rules, question, found, marks, stamp + 1 + i, scratch.counted, used
        )
        ends[i] = used
    uproot(scratch.trie, ranked, question)
    return scores, ends


@njit(cache=True, nogil=True)
def best_places(scores: NDArray[np.float64], k: int) -> NDArray[np.int64]:
    """The places of the k highest scores, best first; ties go to the earlier place."""
    if scores.size <= k:
        return np.argsort(-scores, kind="mergesort")
    cut = scores.size - k
    good = np.nonzero(scores >= np.partition(scores, cut)[cut])[0]
    return good[np.argsort(-scores[good], kind="mergesort")][:k]


def _announce_compilation() -> None:
    """Says so if numba finds no compiled kernels here: the wait looks like a hang."""
    cached = Path(_score_batch.stats.cache_path)
    if not _score_batch.signatures and not any(cached.glob("passages._score_batch*.nbi")):
        log.info("compiling scoring kernels (first run only, about 20 seconds)...")


def _empty_lists(n_questions: int, k: int, most: int) -> Lists:
    return Lists(
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
