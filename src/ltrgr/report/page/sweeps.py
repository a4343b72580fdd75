"""Sweeps: what one ``-m`` command measured belongs together, whatever else lies beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ltrgr.report.page.groups import Comparable, comparables
from ltrgr.report.page.runs import Runs
from ltrgr.report.page.surface import Surface, surfaces

OUTCOMES = "hydra/*/**/outcome.json"
"""where a job of a sweep tells how it ended, below the runs' root"""

MOST = 12
"""surfaces of one sweep, fullest first"""


def swept(runs: Runs, sets: Sequence[Comparable]) -> list[tuple[Comparable, Surface]]:
    """The surfaces of each sweep below ``root``, the latest first.

    A sweep that was started again counts once. Where no sweep is known, as for runs that came
    without their ``hydra`` folder, whatever numbers differ in everything measured (``sets``).
    """
    found: list[frozenset[str]] = []
    for members in _members(runs):
        if not any(members <= later for later in found):
            found.append(members)
    if found:
        return [
            (one, surface)
            for members in found
            for one in comparables(runs, among=members)
            for surface in surfaces(one.ranked, one.axes)[:MOST]
        ]
    return [
        (one, surface)
        for one in sets
        for surface in surfaces(one.ranked, one.axes)[:MOST]
        if all(isinstance(value, int | float | None) for value in (*surface.xs, *surface.ys))
    ]


def _members(runs: Runs) -> list[frozenset[str]]:
    """The names of the evaluations of each sweep, by the time in its folder's name, latest first;
    those of a sweep that measured nothing, or one thing, are no sweep."""
    known = {run.name for run in runs.of("evaluate")}
    by_sweep: dict[str, set[str]] = {}
    for path in runs.root.glob(OUTCOMES):
        try:
            measured = json.loads(path.read_text(encoding="utf-8")).get("measured", "")
        except (ValueError, AttributeError):
            continue  # a job that was killed at this moment
        sweep = path.relative_to(runs.root / "hydra").parts[0]
        by_sweep.setdefault(sweep, set()).update({measured} & known)
    latest_first = sorted(by_sweep.items(), reverse=True)
    return [frozenset(members) for _, members in latest_first if len(members) > 1]
