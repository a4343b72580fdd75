"""Tables: those that were written, and one of everything that was measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from ltrgr.evaluation.significance import significant
from ltrgr.report.page.chart import Series, line_chart
from ltrgr.report.page.groups import Comparable, Group, spelt
from ltrgr.report.page.runs import Runs
from ltrgr.report.result_table import ResultTable, from_json

METRICS = ("hits@1", "hits@5", "hits@20", "hits@100", "mrr@10", "ndcg@10")
LEVEL = 0.05


def result_tables(runs: Runs, sets: list[Comparable], *, samples: int) -> dict[str, Any]:
    """The section of tables: (table or why it cannot be read, charts), and what was measured."""
    paths = sorted(runs.root.glob("*/table.json"), key=_main_first)
    return {
        "written": [_written(path) for path in paths],
        "measured": [_measured(runs, one, samples=samples) for one in sets],
    }


def summary(runs: Runs, sets: list[Comparable]) -> dict[str, Any] | None:
    """The page's first lines: the stage-2 system that dev chooses against its start, in figures."""
    if not sets:
        return None
    best, chosen_on = chosen(sets)
    if best is None:
        return None
    before = runs.before(best.runs[0])
    cards = []
    for metric in METRICS:
        if metric in best.metrics:
            value = 100 * best.mean(metric)
            start = before.metrics.get(metric) if before else None
            gain = "" if start is None else f"{value - 100 * start:+.1f} over stage 1"
            cards.append((spelt(metric), f"{value:.1f}", gain))
    return {
        "split": sets[0].split,
        "best": best.apart or best.label,
        "chosen_on": chosen_on,
        "cards": cards,
    }


def chosen(sets: Sequence[Comparable]) -> tuple[Group | None, str]:
    """The stage-2 group of the first set that is best on dev, and the split that chose it.

    Where no evaluation on dev holds a model of the first set, that set has to choose itself.
    """
    main = sets[0]
    for dev in sets:
        if dev.split == "dev" and dev.corpus == main.corpus and (best := dev.best()):
            models = {run.inputs.get("model") for run in best.runs}
            for group in main.ranked:
                if models & {run.inputs.get("model") for run in group.runs}:
                    return group, "dev"
    return main.best(), main.split


def _written(path: Path) -> tuple[ResultTable | str, list[go.Figure]]:
    try:
        found = from_json(path.read_text(encoding="utf-8"))
        return found, _lines(found) if found.varied else []
    except (ValueError, TypeError, AttributeError) as error:
        return f"{path.parent.name}/{path.name} cannot be read: {error}", []


def _main_first(path: Path) -> tuple[bool, str]:
    return path.parent.name != "table", path.parent.name


def _lines(found: ResultTable) -> list[go.Figure]:
    """A chart for each metric over the setting; a system that it does not touch is dashed."""
    return [
        chart
        for metric in found.metrics
        for chart in line_chart(
            [
                _system(found, metric, system, colour)
                for colour, system in enumerate(dict.fromkeys(row.line for row in found.rows))
            ],
            label=spelt(metric),
            x_label=found.varied,
            percent=True,
        )
    ]


def _system(found: ResultTable, metric: str, system: str, colour: int) -> Series:
    xs = sorted({row.x for row in found.rows if row.x is not None})
    mine = [row for row in found.rows if row.line == system and metric in row.cells]
    fixed = [row.cells[metric].mean for row in mine if row.x is None]
    points = sorted((row.x, row.cells[metric].mean) for row in mine if row.x is not None)
    flat = [(x, value) for value in fixed for x in (xs[0], xs[-1])]
    return Series(system, points or flat, colour, dashed=not points)


def _measured(runs: Runs, one: Comparable, *, samples: int) -> ResultTable:
    names = [m for m in METRICS if any(m in group.metrics for group in one.groups)]
    base = next((group for group in one.groups if group.system == "bm25"), None)
    rows = []
    for group in one.groups:
        before = runs.before(group.runs[0])
        origin = next((g for g in one.groups if before in g.runs), None)
        others = [("b", base), ("p", origin)]
        rows.append(group.row({m: _letters(group, others, m, samples=samples) for m in names}))
    note = (
        f"b: differs from BM25; p: differs from its own stage-1 model; paired randomisation "
        f"test, p < {LEVEL:g}"
    )
    return ResultTable(
        title=f"{one.split} split, {one.questions} questions, corpus {one.corpus}",
        metrics=tuple(map(spelt, names)),
        rows=tuple(rows),
        notes=(note,),
    )


def _letters(
    group: Group, others: list[tuple[str, Group | None]], metric: str, *, samples: int
) -> str:
    """The letters of those that the group differs from."""
    return "".join(
        letter
        for letter, other in others
        if other not in (None, group) and _differs(group, other, metric, samples=samples)
    )


def _differs(a: Group, b: Group | None, metric: str, *, samples: int) -> bool:
    if b is None or metric not in a.metrics or metric not in b.metrics:
        return False
    return significant(a.of(metric), b.of(metric), samples=samples, level=LEVEL)
