"""Mining end to end: from question text to trimmed rank lists, and where the time goes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.measure import Parts, Row, flush_caches
from benchmarks.models import tiny
from benchmarks.scoring import likely
from benchmarks.share import PARTS
from benchmarks.world import World
from ltrgr.decoding.decoding_settings import DecodingSettings
from ltrgr.identifiers.keys import Keys
from ltrgr.retrieval import retriever as rooms
from ltrgr.retrieval.mined import trim
from ltrgr.retrieval.retriever import Retriever
from ltrgr.scoring.scoring_settings import ScoringSettings

LISTED = 200
"""passages of a rank list (paper, sec. 4)"""


def measure(
    world: World, *, trained: str | None, questions: int, repeats: int, seed: int
) -> Iterator[Row]:
    """Questions per second, and the share of each part in percent.

    Without a ``trained`` retriever directory the tiny model has random weights. The odds of its
    keys are then drawn as in `benchmarks.scoring`: its own would rule nearly all of them out, and
    the scorer would have nothing to do.
    """
    retriever = Retriever.from_pretrained(trained) if trained else _untrained(world, seed)
    rng = np.random.default_rng(seed)
    speeds: list[float] = []
    shares: list[dict[str, float]] = []
    keys_each: list[float] = []
    for repeat in range(repeats + 1):
        chosen = rng.choice(len(world.questions), min(questions, len(world.questions)), False)
        texts, parts = [world.questions[i] for i in chosen], Parts()
        flush_caches()
        begin = perf_counter()
        with parts.watching(*PARTS, (rooms, "score_passages", "scoring")):
            n_keys = _mine(retriever, texts, parts.timed("trimming", trim))
        whole = perf_counter() - begin
        if repeat:  # the first one compiled
            speeds.append(len(texts) / whole)
            shares.append({part: 100 * spent / whole for part, spent in parts.items()})
            keys_each.append(n_keys / len(texts))
    yield Row(
        name="mining/end to end",
        unit="questions/s",
        values=speeds,
        note=f"{'trained' if trained else 'tiny'} model, {retriever.decoding.num_beams} beams, "
        f"{np.mean(keys_each):.0f} keys/question",
    )
    for part in shares[0]:
        yield Row(name=f"mining/share of {part}", unit="%", values=[s[part] for s in shares])
    yield Row(
        name="mining/share of the rest",
        unit="%",
        values=[100 - sum(s.values()) for s in shares],
        note="tokenising, cache reordering, normalisers, weights, joining keys",
    )


def _mine(retriever: Retriever, texts: list[str], trimmed: Any) -> int:
    n_keys = 0
    for _, keys, _, lists in retriever.retrieve(texts, k=LISTED):
        trimmed(keys, lists)
        n_keys += len(keys.lo)
    return n_keys


def _untrained(world: World, seed: int) -> Retriever:
    retriever = _Drawn(
        model=tiny(world.vocabulary),
        vocabulary=world.vocabulary,
        index_directory=world.directory,
        scoring=ScoringSettings(),
        decoding=DecodingSettings(),
    )
    retriever.rng = np.random.default_rng(seed)
    return retriever


class _Drawn(Retriever):
    """A retriever whose keys get drawn probabilities instead of its model's."""

    rng: np.random.Generator

    def keys(self, texts: Any) -> Keys:
        keys = super().keys(texts)
        drawn = likely(keys.count, n_tokens=self.index.n_tokens, rng=self.rng)
        return replace(keys, log_probability=drawn)
