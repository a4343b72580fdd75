"""Passage scores of questions with about 290 keys each, with and without unigrams."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import Row, scaled, seconds
from benchmarks.reference import Reference
from benchmarks.world import World
from ltrgr.identifiers.keys import Keys
from ltrgr.index.fm_index import FMIndex
from ltrgr.index.shards import Shards
from ltrgr.scoring.scoring_settings import ScoringSettings
from ltrgr.scoring.search.passages import score_passages
from ltrgr.scoring.weights import key_weights, prior_log_odds

QUESTIONS = 20
SPANS, LENGTH = 29, 10
"""29 spans of 10 tokens with all their prefixes: the 290 keys that SEAL scores a question with."""
UNIGRAMS = 1000
LISTED = 100
"""passages of a rank list"""


def measure(
    world: World, index: FMIndex, reference: Reference | None, *, repeats: int, seed: int
) -> Iterator[Row]:
    """Milliseconds per question: 20 questions a call, and a question alone."""
    rng = np.random.default_rng(seed)
    for questions in (QUESTIONS, 1):
        for unigrams in (0, UNIGRAMS):
            yield _row(world, index, reference, rng, (questions, unigrams), repeats)


def _row(
    world: World,
    index: FMIndex,
    reference: Reference | None,
    rng: np.random.Generator,
    shape: tuple[int, int],
    repeats: int,
) -> Row:
    questions, unigrams = shape
    settings = ScoringSettings()
    shards = Shards([index])
    sizes: list[float] = []

    def prepare() -> Keys:
        keys = draw_keys(world, index, rng, questions=questions, unigrams=unigrams)
        sizes.append(len(keys.lo) / questions)
        return keys

    def score(keys: Keys) -> None:
        score_passages(
            keys,
            key_weights(
                keys.log_probability, keys.count, n_tokens=index.n_tokens, settings=settings
            ),
            shards,
            settings=settings,
            marker=world.vocabulary.is_marker,
            k=LISTED,
        )

    measured = seconds(prepare, score, repeats=repeats)
    references = {}
    if reference is not None:
        references["python"] = _python(world, index, reference, rng, unigrams, settings) * 1e3
    alone = "1 question, " if questions == 1 else ""
    return Row(
        name=f"scoring/{alone}{'with' if unigrams else 'without'} unigrams",
        unit="ms/question",
        values=scaled(measured, 1e3 / questions),
        references=references,
        note=f"{np.mean(sizes):.0f} keys/question",
    )


def _python(
    world: World,
    index: FMIndex,
    reference: Reference,
    rng: np.random.Generator,
    unigrams: int,
    settings: ScoringSettings,
) -> float:
    keys = draw_keys(world, index, rng, questions=1, unigrams=unigrams)
    weights = key_weights(
        keys.log_probability, keys.count, n_tokens=index.n_tokens, settings=settings
    ).tolist()
    pieces = np.split(keys.tokens, keys.token_offsets[1:-1])
    asked = [tuple(piece.tolist()) for piece in pieces]
    markers = set(np.flatnonzero(world.vocabulary.is_marker).tolist())
    begin = perf_counter()
    reference.passage_scores(
        asked,
        weights,
        markers=markers,
        coverage=settings.coverage,
        most=settings.keys_per_passage or len(asked),
        max_candidate_count=settings.max_candidate_count,
        candidates=settings.candidates,
        k=LISTED,
    )
    return perf_counter() - begin


def draw_keys(
    world: World, index: FMIndex, rng: np.random.Generator, *, questions: int, unigrams: int
) -> Keys:
    """Distinct keys like those of a beam search, every one of positive weight.

    Spans of the corpus with all their prefixes, as a search that keeps its history finds them;
    ``unigrams`` further single tokens by frequency. A key's odds are drawn e^0.5 to e^12 times
    its prior, so that all of them count.
    """
    asked: list[list[tuple[int, ...]]] = []
    for _ in range(questions):
        spans = world.spans(rng, SPANS, LENGTH).tolist()
        found = {tuple(span[: n + 1]): None for span in spans for n in range(LENGTH)}
        if unigrams:
            tokens = np.unique(world.spans(rng, 3 * unigrams, 1))
            found |= {(token,): None for token in rng.permutation(tokens)[:unigrams].tolist()}
        asked.append(list(found))
    flat = [key for keys in asked for key in keys]
    token_offsets = np.cumsum([0, *map(len, flat)]).astype(np.int64)
    tokens = np.array([token for key in flat for token in key], np.int32)
    lo, hi = index.intervals(token_offsets, tokens)
    return Keys(
        question_offsets=np.cumsum([0, *map(len, asked)]).astype(np.int64),
        view=np.zeros(len(flat), np.int16),
        token_offsets=token_offsets,
        tokens=tokens,
        lo=lo[:, None],
        hi=hi[:, None],
        log_probability=likely(hi - lo, n_tokens=index.n_tokens, rng=rng),
    )


def likely(
    count: NDArray[np.int64], *, n_tokens: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """[n] log p whose odds are e^0.5 to e^12 times the prior's."""
    gain = rng.uniform(0.5, 12.0, len(count))
    logit = gain + prior_log_odds(
        count.astype(np.float64), n_tokens=n_tokens, settings=ScoringSettings()
    )
    return -np.logaddexp(0.0, -logit).astype(np.float32)
