"""Runs against judgements: metrics, answer matching, TREC files, significance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ltrgr.lazy import lazy_names

if TYPE_CHECKING:
    from ltrgr.evaluation.answers import answer_hits
    from ltrgr.evaluation.metrics import PerQuestion, evaluate_run
    from ltrgr.evaluation.significance import paired_randomisation
    from ltrgr.evaluation.trec import write_run

__all__ = ["PerQuestion", "answer_hits", "evaluate_run", "paired_randomisation", "write_run"]

__getattr__ = lazy_names(
    __name__,
    {
        "PerQuestion": "ltrgr.evaluation.metrics",
        "answer_hits": "ltrgr.evaluation.answers",
        "evaluate_run": "ltrgr.evaluation.metrics",
        "paired_randomisation": "ltrgr.evaluation.significance",
        "write_run": "ltrgr.evaluation.trec",
    },
)
