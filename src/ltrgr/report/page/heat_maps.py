"""Sweep surfaces as heat maps, axes in score units and in one-key units."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ltrgr.report.page.differences import shown
from ltrgr.report.page.groups import Comparable, Group
from ltrgr.report.page.markup import Safe, el, join
from ltrgr.report.page.runs import Runs
from ltrgr.report.page.surface import Surface, stable
from ltrgr.report.page.sweeps import swept
from ltrgr.report.page.widgets import code, note, panels, section

METRICS = ("hits@5", "mrr@10")
LEVEL = 0.05
IN_SCORES = ("margin", "lambda_generation")
"""settings that count in units of the score"""


def heat_maps(runs: Runs, sets: Sequence[Comparable], *, samples: int) -> Safe:
    """The section of sweeps."""
    found: list[tuple[str, object]] = []
    for one, surface in swept(runs, sets):
        same = surface.x is surface.y
        pair = surface.x.name if same else f"{surface.x.name} by {surface.y.name}"
        where = f"{one.split}, {one.questions} questions"
        name = f"{pair} ({where}), {len(surface.cells)} cells"
        found.append((name, _maps(runs, surface, samples=samples)))
    lead = (
        "Mean over seeds, percent. Outlined: the stable region, cells within the best cell's "
        f"spread over seeds or not significantly below it (paired randomisation, p < {LEVEL:g})."
    )
    if found:
        return section("sweeps", "Sweep surfaces", panels("sweep", "Over", found), lead=lead)
    empty = note(
        "No setting was swept in these runs. For a surface: ",
        code("ltrgr rank -m loss.margin=0.5,1,2,4 loss.lambda_generation=0,1,2.6,5"),
    )
    return section("sweeps", "Sweep surfaces", empty)


def one_key_of(runs: Runs, group: Group) -> float | None:
    """Score of one confident key, from the evaluation or from stage 2's log."""
    for run in group.runs:
        if scores := run.read("scores.json"):
            return float(scores["one_key"])
        for part in runs.chain(run):
            if points := part.curves.get("train/one_key_score"):
                return float(points[-1][1])
    return None


def _maps(runs: Runs, surface: Surface, *, samples: int) -> Safe:
    units = [one_key_of(runs, group) for group in surface.cells.values()]
    keys = {round(unit, 6) for unit in units if unit}
    key = keys.pop() if len(keys) == 1 else None
    unit = next(iter(surface.cells.values())).flat.get("rank.unit")
    maps = [
        _map(surface, metric, key=key, unit=unit, samples=samples)
        for metric in METRICS
        if any(metric in group.metrics for group in surface.cells.values())
    ]
    scale = f"A confident identifier seen once is worth {key:.1f} score units." if key else ""
    held = ", ".join(f"{name} {shown(value)}" for name, value in surface.held)
    below = " ".join(filter(None, [f"Held: {held}." if held else "", scale]))
    return join([el("div", *maps, cls="maps"), el("p", below, cls="below")])


def _map(
    surface: Surface, metric: str, *, key: float | None, unit: str | None, samples: int
) -> Safe:
    region = stable(surface, metric, samples=samples, level=LEVEL)
    means = {at: g.mean(metric) for at, g in surface.cells.items() if metric in g.metrics}
    low, high = min(means.values()), max(means.values())
    shares = {at: (v - low) / (high - low) if high > low else 1.0 for at, v in means.items()}
    rows = []
    for y in reversed(surface.ys):
        cells = [
            _cell(surface.cells[x, y], metric, shares[x, y], edges=_edges(surface, region, x, y))
            if (x, y) in means
            else el("td", "", cls="empty")
            for x in surface.xs
        ]
        name = "" if surface.x is surface.y else _tick(surface.y.name, y, key=key, unit=unit)
        rows.append(el("tr", el("th", name, scope="row"), *cells))
    ticks = [
        el("th", _tick(surface.x.name, x, key=key, unit=unit), scope="col") for x in surface.xs
    ]
    foot = el("tr", el("td", cls="corner"), *ticks)
    name = metric.replace("mrr", "MRR")
    up = "" if surface.x is surface.y else f", up: {surface.y.name}"
    caption = el("p", name, el("small", f"across: {surface.x.name}{up}"), cls="caption")
    grid = el("table", el("tbody", *rows), el("tfoot", foot), cls="heat")
    label = f"heat map of {name}"
    return el(
        "div",
        caption,
        el("div", grid, cls="scroll", tabindex="0", role="region", aria_label=label),
    )


def _edges(surface: Surface, region: set[tuple[Any, Any]], x: Any, y: Any) -> list[str] | None:
    """The sides on which the stable region ends; None outside of it. Rows grow upwards."""
    if (x, y) not in region:
        return None
    i, j = surface.xs.index(x), surface.ys.index(y)
    beside = {"er": (i + 1, j), "el": (i - 1, j), "et": (i, j + 1), "eb": (i, j - 1)}
    inside = {
        (k, m)
        for k, one in enumerate(surface.xs)
        for m, other in enumerate(surface.ys)
        if (one, other) in region
    }
    return [side for side, at in beside.items() if at not in inside]


def _cell(group: Group, metric: str, share: float, *, edges: list[str] | None) -> Safe:
    value = f"{100 * group.mean(metric):.1f}"
    spread = group.spread(metric)
    small = el("small", f"± {100 * spread:.1f}") if spread is not None else ""
    kinds = ["hot" if share > 0.55 else "cool", *(edges or [])]
    stable = "" if edges is None else el("span", " stable", cls="unseen")
    seeds = f", {len(group.runs)} seeds" if len(group.runs) > 1 else ""
    return el(
        "td",
        el("strong", value) if share == 1.0 else el("span", value),
        small,
        stable,
        cls=" ".join(kinds),
        style=f"--share:{share:.3f}",
        title=f"{group.label}: {value}{seeds}{'' if edges is None else ', stable'}",
    )


def _tick(name: str, value: Any, *, key: float | None, unit: str | None) -> Safe:
    """``1.3 keys`` over ``172``: both units of a margin, where one key's worth is known."""
    first = shown(value)
    if name not in IN_SCORES or not isinstance(value, int | float):
        return el("span", first)
    worth = key or math.nan
    keys, score = (value, value * worth) if unit == "one_key" else (value / worth, value)
    if key is None:
        return el("span", f"{first} keys" if unit == "one_key" else first)
    return join([el("span", f"{keys:.3g} keys"), el("small", f"{score:.4g}")])
