"""Paths and names keep the text that was typed: ``corpus.test=1e3`` is no number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

from ltrgr.cli.arguments import in_quotes

TEXT_SETTINGS = (
    "root",
    "optimized_metric",
    "retriever",
    "metric",
    "output",
    "title",
    "surfaces",
    "table.title",
    "table.directory",
    "table.expected",
    "corpus.path",
    "corpus.train",
    "corpus.dev",
    "corpus.test",
    "corpus.pseudo_queries",
    "corpus.name",
    "identifiers.views.*.prompt",
    "identifiers.views.*.begin",
    "identifiers.views.*.end",
    "model.checkpoint",
    "pretrain.monitor",
    "rank.monitor",
    "wandb.project",
    "wandb.group",
    "wandb.directory",
    "wandb.agents_stage",
)
"""the settings whose value is a path, a name or other text"""
OVERRIDE = re.compile(r"(\+{0,2}([\w.]+)=)([^\[\]{}()'\"]+)")


def as_typed(overrides: Sequence[str]) -> list[str]:
    """The overrides with the value in quotes where it is text and Hydra would read another type.

    Each value of a sweep counts by itself. ``null`` stays null.

    >>> as_typed(["root=2026", "corpus.test=1e3,dev", "corpus.dev=null", "seed=3"])
    ['root="2026"', 'corpus.test="1e3",dev', 'corpus.dev=null', 'seed=3']
    """
    return [_as_typed(override) for override in overrides]


def _as_typed(override: str) -> str:
    found = OVERRIDE.fullmatch(override)
    if found is None or not any(fnmatchcase(found[2], name) for name in TEXT_SETTINGS):
        return override
    values = [in_quotes(one) if _is_no_text(one) else one for one in found[3].split(",")]
    return found[1] + ",".join(values)


def _is_no_text(value: str) -> bool:
    """Whether Hydra's grammar reads the word as a number or a truth value."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        read = OverridesParser.create().parse_override(f"key={value}").value()
    except HydraException:
        return False
    return isinstance(read, int | float)
