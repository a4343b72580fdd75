"""Outcome: how one job ended, kept in its own folder for the summary of the sweep."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ltrgr.disk import write_atomically

FILE = "outcome.json"

DONE, FOUND, FAILED, UNFINISHED = "done", "found", "failed", "not finished"
"""States: worked for; found done by an earlier run; ended by an error; killed or still going."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a command gives back."""

    metrics: Mapping[str, float] = field(default_factory=dict)
    """name with its split (``test mrr@10``) -> value"""
    optimized_metric: float | None = None
    """the figure that a sweeper sees"""
    found: bool = False
    """whether everything was there already"""
    measured: str = ""
    """name of the evaluation's folder"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One job of a sweep."""

    job: int
    overrides: Sequence[str]
    """those that set it apart from the sweep's other jobs"""
    state: str
    seconds: float = 0.0
    metrics: Mapping[str, float] = field(default_factory=dict)
    measured: str = ""
    """name of the evaluation's folder, by which the report knows what belongs to a sweep"""
    error: str = ""

    def write(self, directory: Path) -> None:
        """Write it into the job's folder."""
        directory.mkdir(parents=True, exist_ok=True)
        write_atomically(directory / FILE, json.dumps(asdict(self), indent=2) + "\n")


def outcomes(sweep: Path) -> list[Outcome]:
    """The outcomes below a sweep's folder, by job number."""
    found = [Outcome(**json.loads(path.read_text())) for path in sweep.glob(f"**/{FILE}")]
    return sorted(found, key=lambda outcome: outcome.job)
