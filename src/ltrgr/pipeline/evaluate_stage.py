"""Stage "evaluate": run a split, write the TREC run and the metrics."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ltrgr.corpus.records import Corpus, Split
from ltrgr.decoding.decoding_settings import NumBeams
from ltrgr.disk import write_atomically
from ltrgr.evaluation.answers import answer_hits
from ltrgr.evaluation.metrics import evaluate_run
from ltrgr.evaluation.trec import Run, write_judgements, write_run
from ltrgr.json_file import read_json_object
from ltrgr.pipeline.describe import NOT_IDENTITY, UNLESS_DEFAULT
from ltrgr.pipeline.examples import write_examples, write_scores
from ltrgr.pipeline.progress import watch
from ltrgr.pipeline.settings import ComputeSettings
from ltrgr.retrieval.bm25 import BM25
from ltrgr.retrieval.retriever import Retriever
from ltrgr.scoring.scale import one_key_score
from ltrgr.scoring.scoring_settings import ScoringSettings
from ltrgr.typed import Count, Fraction, NotNegative, SettingsError, expect_fields


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings:
    """What is measured: ``split``, rank lists of ``passages``, ``questions`` (None: all).

    ``scoring`` is the heuristic of this search, where it is another than that of mining and
    training (None: the same); ``num_beams`` likewise.
    """

    split: Literal["train", "dev", "test"]
    passages: Count
    questions: Count | None
    k1: NotNegative
    b: Fraction
    # what search then does is named by the artefact itself, however it was set
    scoring: ScoringSettings | None = field(default=None, metadata={NOT_IDENTITY: True})
    num_beams: NumBeams | None = field(default=None, metadata={NOT_IDENTITY: True})
    ignore_identical_ids: bool = field(default=True, metadata={UNLESS_DEFAULT: True})
    """Leave out a passage whose id is the question's, as BEIR does: a question of ArguAna or Quora
    is itself a passage."""

    def __post_init__(self) -> None:
        expect_fields("evaluation", self)

    def depth(self, split: Split, ids: Sequence[str]) -> int:
        """Passages to retrieve: one more where a question may be a passage, and is left out."""
        own = self.ignore_identical_ids and not {q.id for q in split.queries}.isdisjoint(ids)
        return self.passages + own

    def of(self, corpus: Corpus) -> Split:
        """The questions to ask and their judgements.

        Raises:
            SettingsError: the corpus has no questions in this split.
        """
        split: Split = getattr(corpus, self.split)
        if not split.queries:
            raise SettingsError(
                f"evaluation.split={self.split}: the corpus {corpus.name} has no such questions; "
                "set evaluation.split=dev, or give it some"
            )
        queries = split.queries[: self.questions]
        return Split(queries, {q.id: split.qrels.get(q.id, {}) for q in queries})


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Per-question values of one system, and its speed."""

    query_ids: tuple[str, ...]
    values: dict[str, NDArray[np.float64]]
    seconds_per_question: float

    def means(self) -> dict[str, float]:
        """metric -> mean over the questions"""
        return {name: float(values.mean()) for name, values in self.values.items()}

    @classmethod
    def load(cls, directory: Path) -> Measured:
        """What ``write_measured`` wrote."""
        cure = f"remove {directory} and measure again with the same command"
        stored = read_json_object(directory / "per_question.json", cure=cure)
        return cls(
            query_ids=tuple(stored["query_ids"]),
            values={k: np.asarray(v, dtype=np.float64) for k, v in stored["values"].items()},
            seconds_per_question=stored["seconds_per_question"],
        )


def evaluate_retriever(
    directory: Path,
    *,
    retriever: Retriever,
    corpus: Corpus,
    settings: EvaluationSettings,
    compute: ComputeSettings,
    name: str,
) -> None:
    """Search every question of the split and write what was found and measured."""
    split = settings.of(corpus)
    texts = [query.text for query in split.queries]
    ids = retriever.passages.ids()
    for _ in retriever.retrieve(texts[:1], k=settings.passages):
        pass  # load kernels and caches before the clock starts
    run: Run = {}
    start = time.perf_counter()
    k = settings.depth(split, ids)
    for part, _, _, lists in watch(
        retriever.retrieve(texts, k=k),
        total=len(texts),
        description=f"search {settings.split}: {name}",
        shown=compute.progress,
    ):
        _collect(run, split, part, lists.passage, lists.score, ids, settings)
    seconds = (time.perf_counter() - start) / max(1, len(texts))
    write_measured(directory, run=run, split=split, corpus=corpus, seconds=seconds, tag="ltrgr")
    _show(directory, run=run, split=split, retriever=retriever, k=settings.passages)


def evaluate_bm25(
    directory: Path, *, corpus: Corpus, settings: EvaluationSettings, compute: ComputeSettings
) -> None:
    """The same with BM25."""
    split = settings.of(corpus)
    bm25 = BM25(corpus.passages, k1=settings.k1, b=settings.b)
    ids = [passage.id for passage in corpus.passages]
    start = time.perf_counter()
    passages, scores = bm25.search(
        [query.text for query in split.queries], min(settings.depth(split, ids), len(ids))
    )
    seconds = (time.perf_counter() - start) / max(1, len(split.queries))
    run: Run = {}
    everything = slice(0, len(split.queries))
    # A passage that shares no word with the question was not found; it only fills the list.
    passages = np.where(scores > 0, passages, -1)
    _collect(run, split, everything, passages, np.asarray(scores, dtype=np.float64), ids, settings)
    write_measured(directory, run=run, split=split, corpus=corpus, seconds=seconds, tag="bm25")


def write_measured(
    directory: Path, *, run: Run, split: Split, corpus: Corpus, seconds: float, tag: str
) -> None:
    """``run.trec``, ``qrels.trec``, ``per_question.json`` and ``metrics.json``."""
    write_run(directory / "run.trec", run, tag=tag)
    write_judgements(directory / "qrels.trec", split.qrels)
    judged = evaluate_run(run, split.qrels)
    values = {name: v.tolist() for name, v in judged.values.items()}
    metrics = judged.means()
    if any(query.answers for query in split.queries):
        by_id = {passage.id: passage for passage in corpus.passages}
        answered = answer_hits(run, split.queries, by_id)
        metrics |= answered.means()
        if answered.query_ids == judged.query_ids:
            values |= {name: v.tolist() for name, v in answered.values.items()}
    texts = {query.id: query.text for query in split.queries}
    stored = {
        "query_ids": judged.query_ids,
        "texts": [texts[query] for query in judged.query_ids],
        "values": values,
        "seconds_per_question": seconds,
    }
    write_atomically(directory / "per_question.json", json.dumps(stored))
    metrics |= {"seconds_per_question": seconds, "questions": len(split.queries)}
    write_atomically(directory / "metrics.json", json.dumps(metrics, indent=2))


def _show(directory: Path, *, run: Run, split: Split, retriever: Retriever, k: int) -> None:
    """What `ltrgr report` draws: ``scores.json`` and ``examples.json``."""
    n_tokens, scoring = retriever.index.n_tokens, retriever.scoring
    try:
        one_key = one_key_score(n_tokens=n_tokens, settings=scoring)
    except ValueError:
        one_key = 1.0  # a corpus of a few tokens has no such unit; any width does
    write_scores(directory / "scores.json", run=run, split=split, one_key=one_key)
    write_examples(
        directory / "examples.json", split=split, search=lambda texts: retriever.search(texts, k=k)
    )


def _collect(
    run: Run,
    split: Split,
    part: slice,
    passage: NDArray[np.int32] | NDArray[np.int64],
    score: NDArray[np.float64],
    ids: Sequence[str],
    settings: EvaluationSettings,
) -> None:
    for query, numbers, values in zip(split.queries[part], passage, score, strict=True):
        found = numbers >= 0
        ranked = [
            (ids[number], value)
            for number, value in zip(numbers[found].tolist(), values[found].tolist(), strict=True)
            if not (settings.ignore_identical_ids and ids[number] == query.id)
        ]
        run[query.id] = ranked[: settings.passages]
