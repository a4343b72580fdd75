"""The settings that a command has besides the sections of the pipeline, and what each may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from annotated_types import Gt, Lt, MinLen

from ltrgr.typed import Count, CountOrZero, Seed, Text, TwoOrMore

Model = Literal["pretrain", "rank"]
System = Literal["bm25", "pretrain", "rank"]

EVERY: dict[str, Any] = {"root": Text, "seed": Seed}
"""setting -> annotation, of all commands"""

COMMAND_SETTINGS: dict[str, dict[str, Any]] = {
    "index": {"force": bool},
    "pretrain": {"force": bool},
    "mine": {"force": bool},
    "rank": {"optimized_metric": Text, "force": bool},
    "evaluate": {"system": System, "optimized_metric": Text, "force": bool},
    "search": {
        "retriever": Text | None,
        "train": bool,
        "functions": Sequence[Text],
        "system": Model,
        "k": Count,
        "identifiers_shown": CountOrZero,
    },
    "exposure": {"systems": Annotated[Sequence[Model], MinLen(1)]},
    "cost": {"turns": TwoOrMore},
    "compare": {
        "runs": Sequence[Text],
        "metric": Text,
        "questions_shown": CountOrZero,
        "samples": Count,
    },
    "report": {"output": Text, "title": str, "surfaces": Text | None, "samples": Count},
    "table": {
        "table.title": str,
        "table.directory": Text,
        "table.only": Sequence[Text],
        "table.workers": Count | None,
        "table.level": Annotated[float, Gt(0), Lt(1)],
        "table.samples": Count,
        "table.metrics": Mapping[Text, Text],
        "table.comparisons": Sequence[Mapping[str, Text]],
        "table.seeds": Annotated[Sequence[Seed], MinLen(1)],
        "table.further_steps": Count,
        "table.expected": Text | None,
        "table.check": bool,
        "table.notes": Sequence[str],
        "table.vary": Mapping[str, Any] | None,
        "table.rows": Sequence[Mapping[str, Any]],
    },
}
"""command -> dotted setting -> annotation"""
