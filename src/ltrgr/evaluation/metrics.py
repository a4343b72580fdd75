"""The reported numbers, per question, by relevance judgements, through ir-measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ir_measures
import numpy as np
from ir_measures import RR, R, Success, nDCG
from numpy.typing import NDArray

from ltrgr.corpus.records import Qrels
from ltrgr.evaluation.trec import Run

MEASURES = ("hits@1", "hits@5", "hits@20", "hits@100", "mrr@10", "recall@100", "ndcg@10")
"""What a table reports; any ``name@k`` of the same four names may be asked for."""

_FAMILIES = {"hits": Success, "mrr": RR, "recall": R, "ndcg": nDCG}


@dataclass(frozen=True, kw_only=True)
class PerQuestion:
    """Values of several metrics for the same questions, the ground of means and tests."""

    query_ids: tuple[str, ...]
    """n ids, sorted."""
    values: dict[str, NDArray[np.float64]]
    """metric -> [n] value of each question, in the order of ``query_ids``."""

    def means(self) -> dict[str, float]:
        """metric -> mean over the questions; nan where there are none."""
        return {name: float(v.mean()) if len(v) else np.nan for name, v in self.values.items()}


def evaluate_run(run: Run, qrels: Qrels, *, measures: Sequence[str] = MEASURES) -> PerQuestion:
    """Measures each judged question.

    hits@k is Success@k, mrr@k is RR@k, recall@k is R@k, ndcg@k is nDCG@k (log2 discount, gain =
    grade) of ir-measures; a passage is relevant when its grade is above zero. The order of the
    run counts, not its scores, so ties and negative scores change nothing.

    Args:
        run: query id -> ranked passages. Unjudged queries are ignored.
        qrels: judgements. Every query in them counts: one that the run lacks, or one without a
            relevant passage, has value 0.
        measures: names of the form ``hits@5``.

    Raises:
        ValueError: an unknown measure, or a passage listed twice for one query.
    """
    wanted = {_measure(name): name for name in measures}
    ids = tuple(sorted(qrels))
    row = {query: i for i, query in enumerate(ids)}
    values = {name: np.zeros(len(ids)) for name in measures}
    by_rank = {query: _falling(query, run[query]) for query in ids if run.get(query)}
    if by_rank:
        for result in ir_measures.iter_calc(list(wanted), qrels, by_rank):
            values[wanted[result.measure]][row[result.query_id]] = result.value
    return PerQuestion(query_ids=ids, values=values)


def _falling(query: str, ranked: list[tuple[str, float]]) -> dict[str, float]:
    """passage -> a score that says nothing but its rank."""
    scores = {passage: float(-rank) for rank, (passage, _) in enumerate(ranked)}
    if len(scores) != len(ranked):
        raise ValueError(
            f"found a passage more than once for query {query!r}, expected each once; "
            "drop duplicates before evaluating"
        )
    return scores


def _measure(name: str) -> ir_measures.Measure:
    family, _, cutoff = name.partition("@")
    if family not in _FAMILIES or not cutoff.isdecimal() or int(cutoff) < 1:
        raise ValueError(
            f"found measure {name!r}, expected one of {sorted(_FAMILIES)} with a cut-off, as in "
            "'hits@5'"
        )
    return _FAMILIES[family] @ int(cutoff)
