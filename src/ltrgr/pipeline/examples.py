"""What an evaluation leaves for the eye: score distributions and example rank lists, as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ltrgr.corpus.records import Query, Split
from ltrgr.disk import write_atomically
from ltrgr.evaluation.trec import Run
from ltrgr.retrieval.hits import Hit

EXAMPLES = 20
"""questions shown, evenly spaced over the split, so that every system shows the same ones"""
DEPTH = 5
"""places shown of each rank list, besides the first relevant passage wherever it stands"""
IDENTIFIERS = 10
"""identifiers shown per passage, the heaviest"""
TEXT = 2000
"""characters of a passage's text"""
BINS_PER_KEY = 20
"""histogram bins in the score of one confident key seen once"""


def write_scores(path: Path, *, run: Run, split: Split, one_key: float) -> None:
    """Histograms of the scores of listed relevant and irrelevant passages, and each list's best.

    ``width`` is a bin's width in score units, one_key / 20; bin i counts scores in
    [i * width, (i + 1) * width). ``positive`` and ``negative`` count all listed passages,
    ``best_positive`` and ``best_negative`` one per question (those that L_rank1 compares).

    Args:
        one_key: score of one confident key seen once (``ltrgr.scoring.scale``), above 0.
    """
    width = one_key / BINS_PER_KEY
    groups: dict[str, list[float]] = {}
    for name, judged in (("positive", True), ("negative", False)):
        lists = [_scores(run[q.id], split.qrels.get(q.id, {}), judged) for q in split.queries]
        groups[name] = [score for scores in lists for score in scores]
        groups[f"best_{name}"] = [max(scores) for scores in lists if scores]
    counts = {name: _counts(scores, width) for name, scores in groups.items()}
    stored = {"width": width, "one_key": one_key, "questions": len(split.queries), **counts}
    write_atomically(path, json.dumps(stored))


def write_examples(
    path: Path,
    *,
    split: Split,
    search: Callable[[Sequence[str]], Sequence[Sequence[Hit]]],
) -> None:
    """A few questions with the top of their rank lists and the identifiers that found each.

    Args:
        search: texts -> hits, best first, as deep as the first relevant passage is looked for.
    """
    numbers = np.linspace(0, len(split.queries) - 1, min(EXAMPLES, len(split.queries)))
    queries = [split.queries[i] for i in np.unique(numbers.round().astype(int))]
    passages: dict[str, dict[str, str]] = {}
    questions = []
    for query, hits in zip(queries, search([q.text for q in queries]), strict=True):
        questions.append(_question(query, hits, split.qrels.get(query.id, {}), passages))
    stored = {"questions": questions, "passages": passages}
    write_atomically(path, json.dumps(stored, ensure_ascii=False))


def _scores(found: list[tuple[str, float]], grades: dict[str, int], judged: bool) -> list[float]:
    return [score for passage, score in found if (grades.get(passage, 0) > 0) is judged]


def _counts(scores: list[float], width: float) -> list[int]:
    bins = np.floor(np.asarray(scores, dtype=np.float64) / width).astype(np.int64)
    return np.bincount(np.maximum(bins, 0)).tolist()


def _question(
    query: Query, hits: Sequence[Hit], grades: dict[str, int], passages: dict[str, Any]
) -> dict[str, Any]:
    relevant = [grades.get(hit.passage.id, 0) > 0 for hit in hits]
    first = relevant.index(True) if True in relevant else None
    shown = [*range(min(DEPTH, len(hits))), *([first] if first and first >= DEPTH else [])]
    for place in shown:
        passage = hits[place].passage
        passages[passage.id] = {"title": passage.title, "text": passage.text[:TEXT]}
    return {
        "id": query.id,
        "text": query.text,
        "answers": list(query.answers),
        "first_relevant": None if first is None else first + 1,
        "hits": [_hit(hits[place], place + 1, relevant[place]) for place in shown],
    }


def _hit(hit: Hit, rank: int, relevant: bool) -> dict[str, Any]:
    found = [
        {name: round(v, 2) if isinstance(v, float) else v for name, v in asdict(by).items()}
        for by in hit.matches[:IDENTIFIERS]
    ]
    return {
        "rank": rank,
        "id": hit.passage.id,
        "score": round(hit.score, 2),
        "relevant": relevant,
        "identifiers": len(hit.matches),
        "matches": found,
    }
