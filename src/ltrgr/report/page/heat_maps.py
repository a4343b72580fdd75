"""Sweep surfaces as heat maps, axes in score units and in one-key units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from ltrgr.report.page.chart import empty_figure, plain, short, wrapped
from ltrgr.report.page.differences import Axis, shown
from ltrgr.report.page.groups import Comparable, Group, spelt
from ltrgr.report.page.runs import Runs
from ltrgr.report.page.surface import Surface, stable
from ltrgr.report.page.sweeps import swept
from ltrgr.report.result_table import Printed, ResultTable, body

METRICS = ("hits@5", "mrr@10")
LEVEL = 0.05
IN_SCORES = ("margin", "lambda_generation")
"""settings that count in units of the score"""

COLOUR_SCALE = ((0, "#e4eef8"), (0.5, "#7db1dc"), (1, "#0b5fa5"))
EDGE = {"color": "#e08a00", "width": 3}
"""the outline of the stable region"""
NEIGHBOURS = ((1, 0), (-1, 0), (0, 1), (0, -1))

Region = set[tuple[Any, Any]]


def heat_maps(runs: Runs, sets: Sequence[Comparable], *, samples: int) -> list[tuple[str, Any]]:
    """The section of sweeps: name of a surface -> its charts, its cells and what holds of all."""
    found = []
    for one, surface in swept(runs, sets):
        same = surface.x is surface.y
        pair = surface.x.name if same else f"{surface.x.name} by {surface.y.name}"
        where = f"{one.split}, {one.questions} questions"
        name = f"{pair} ({where}), {len(surface.cells)} cells"
        found.append((name, _maps(runs, surface, samples=samples)))
    return found


def one_key_of(runs: Runs, group: Group) -> float | None:
    """Score of one confident key, from the evaluation or from stage 2's log."""
    for run in group.runs:
        if scores := run.read("scores.json"):
            return float(scores["one_key"])
        for part in runs.chain(run):
            if points := part.curves.get("train/one_key_score"):
                return float(points[-1][1])
    return None


def tick(name: str, value: Any, surface: Surface, *, key: float | None) -> list[str]:
    """``1.3 keys`` over ``172``: both units of a margin, where one key's worth is known."""
    if value is None:
        return [""]
    if name not in IN_SCORES or not isinstance(value, int | float):
        return [shown(value)]
    unit = next(iter(surface.cells.values())).flat.get("rank.unit")
    if key is None:
        return [f"{shown(value)} keys" if unit == "one_key" else shown(value)]
    keys, score = (value, value * key) if unit == "one_key" else (value / key, value)
    return [f"{keys:.3g} keys", f"{score:.4g}"]


def _maps(runs: Runs, surface: Surface, *, samples: int) -> dict[str, Any]:
    units = [one_key_of(runs, group) for group in surface.cells.values()]
    keys = {round(unit, 6) for unit in units if unit}
    key = keys.pop() if len(keys) == 1 else None
    regions = {
        metric: stable(surface, metric, samples=samples, level=LEVEL)
        for metric in METRICS
        if any(metric in group.metrics for group in surface.cells.values())
    }
    table = _table(surface, regions)
    printed = dict(zip(surface.cells, body(table), strict=True))
    scale = f"A confident identifier seen once is worth {key:.1f} score units." if key else ""
    held = ", ".join(f"{name} {shown(value)}" for name, value in surface.held)
    return {
        "charts": [
            _map(surface, metric, {at: cells[i] for at, cells in printed.items()}, region, key=key)
            for i, (metric, region) in enumerate(regions.items(), 1)
        ],
        "table": table,
        "below": " ".join(filter(None, [f"Held: {held}." if held else "", scale])),
    }


def _table(surface: Surface, regions: Mapping[str, Region]) -> ResultTable:
    """One line a cell: what the maps show, to be sorted and read out."""
    rows = [
        group.row({metric: "s" if at in region else "" for metric, region in regions.items()})
        for at, group in surface.cells.items()
    ]
    metrics = tuple(map(spelt, regions))
    return ResultTable(title="", metrics=metrics, rows=tuple(rows), notes=("s: stable",))


def _map(
    surface: Surface,
    metric: str,
    printed: Mapping[tuple[Any, Any], Printed],
    region: Region,
    *,
    key: float | None,
) -> go.Figure:
    known = {at: g for at, g in surface.cells.items() if metric in g.metrics}
    values = {at: short(100 * g.mean(metric)) for at, g in known.items()}
    texts = {at: _text(printed[at]) for at in known}
    hover = {at: _hover(printed[at], g) for at, g in known.items()}
    z, text, hovertext = (
        [[found.get((x, y)) for x in surface.xs] for y in surface.ys]
        for found in (values, texts, hover)
    )
    heat = go.Heatmap(z=z, text=text, hovertext=hovertext, colorscale=COLOUR_SCALE, xgap=2, ygap=2)
    heat.update(texttemplate="%{text}", hovertemplate="%{hovertext}<extra></extra>")
    heat.update(showscale=False, textfont_size=13)
    height, width = 110 + 56 * len(surface.ys), 90 + 58 * len(surface.xs)
    figure = empty_figure(spelt(metric), surface.x.name, height=height, width=width)
    figure.add_trace(heat)
    figure.update_layout(shapes=_outline(surface, region), hovermode="closest")
    figure.update_xaxes(_ticks(surface.x, surface.xs, surface, key=key))
    figure.update_yaxes(_ticks(surface.y, surface.ys, surface, key=key), showgrid=False)
    if surface.x is not surface.y:
        figure.update_yaxes(title={"text": plain(surface.y.name), "standoff": 12})
    return figure


def _text(cell: Printed) -> str:
    value = f"<b>{cell.value}</b>" if cell.best else cell.value
    return f"{value}<br>± {cell.spread}" if cell.spread else value


def _hover(cell: Printed, group: Group) -> str:
    seeds = f", {len(group.runs)} seeds" if len(group.runs) > 1 else ""
    return f"{wrapped(group.label)}: {cell.value}{seeds}{', stable' if cell.letters else ''}"


def _outline(surface: Surface, region: Region) -> list[dict[str, Any]]:
    """The sides on which the stable region ends."""
    inside = {(surface.xs.index(x), surface.ys.index(y)) for x, y in region}
    return [
        {
            "type": "line",
            "line": EDGE,
            **{"x0": i + (a - abs(b)) / 2, "x1": i + (a + abs(b)) / 2},
            **{"y0": j + (b - abs(a)) / 2, "y1": j + (b + abs(a)) / 2},
        }
        for i, j in sorted(inside)
        for a, b in NEIGHBOURS
        if (i + a, j + b) not in inside
    ]


def _ticks(axis: Axis, values: Sequence[Any], surface: Surface, *, key: float | None) -> Any:
    texts = ["<br>".join(map(plain, tick(axis.name, v, surface, key=key))) for v in values]
    return {"tickvals": list(range(len(values))), "ticktext": texts}
