"""A swept surface: cells over two settings, and the region that is as good as the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from ltrgr.evaluation.significance import significant
from ltrgr.report.page.differences import Axis, usual
from ltrgr.report.page.groups import Group


@dataclass(frozen=True, kw_only=True)
class Surface:
    """Groups over the values of two axes, everything else held at its usual value."""

    x: Axis
    y: Axis
    xs: tuple[Any, ...]
    ys: tuple[Any, ...]
    cells: dict[tuple[Any, Any], Group]
    held: tuple[tuple[str, Any], ...]


def surfaces(groups: Sequence[Group], axes: Sequence[Axis]) -> list[Surface]:
    """Every pair of settings with at least three cells and two values of each, fullest first.

    A single setting that was swept alone becomes a surface of one row, for which x equals y.
    """
    found = [
        surface
        for x, y in combinations(axes, 2)
        if (surface := _surface(x, y, groups, axes)) is not None
    ]
    if not found:
        lines = [_line(axis, groups, axes) for axis in axes]
        found = [line for line in lines if line is not None]
    return sorted(found, key=lambda one: -len(one.cells))


def stable(surface: Surface, metric: str, *, samples: int, level: float) -> set[tuple[Any, Any]]:
    """Cells as good as the best: within its spread over seeds, or not significantly below it."""
    able = {at: group for at, group in surface.cells.items() if metric in group.metrics}
    if not able:
        return set()
    top = max(able.values(), key=lambda group: group.mean(metric))
    spread = top.spread(metric) or 0.0
    return {
        at
        for at, group in able.items()
        if group is top
        or top.mean(metric) - group.mean(metric) <= spread
        or not significant(top.of(metric), group.of(metric), samples=samples, level=level)
    }


def _surface(x: Axis, y: Axis, groups: Sequence[Group], axes: Sequence[Axis]) -> Surface | None:
    kept, held = _hold(groups, [axis for axis in axes if axis not in (x, y)])
    cells = {
        (x.of(group.flat), y.of(group.flat)): group
        for group in kept
        if x.of(group.flat) is not None and y.of(group.flat) is not None
    }
    xs, ys = _values(at[0] for at in cells), _values(at[1] for at in cells)
    if len(xs) < 2 or len(ys) < 2 or len(cells) < 3:
        return None
    return Surface(x=x, y=y, xs=xs, ys=ys, cells=cells, held=held)


def _line(axis: Axis, groups: Sequence[Group], axes: Sequence[Axis]) -> Surface | None:
    kept, held = _hold(groups, [other for other in axes if other is not axis])
    cells = {(axis.of(group.flat), None): group for group in kept}
    xs = _values(at[0] for at in cells if at[0] is not None)
    if len(xs) < 2:
        return None
    return Surface(x=axis, y=axis, xs=xs, ys=(None,), cells=cells, held=held)


def _hold(
    groups: Sequence[Group], others: Sequence[Axis]
) -> tuple[list[Group], tuple[tuple[str, Any], ...]]:
    """The groups that have the usual value of every other setting.

    Settings of the usual loss only: one that belongs to another loss is absent from all of them.
    """
    kept = list(groups)
    held = []
    ordered = sorted(others, key=lambda axis: axis.name not in ("views", "loss", "sampler"))
    for axis in ordered:
        value = usual(axis, [group.flat for group in kept])
        kept = [group for group in kept if axis.of(group.flat) == value]
        if value is not None:
            held.append((axis.name, value))
    return kept, tuple(held)


def _values(found: Any) -> tuple[Any, ...]:
    distinct = list(dict.fromkeys(found))
    if all(isinstance(value, int | float) for value in distinct):
        return tuple(sorted(distinct))
    return tuple(sorted(distinct, key=str))
