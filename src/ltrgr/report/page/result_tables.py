"""Tables: those that were written, and one of everything that was measured."""

from __future__ import annotations

from pathlib import Path

from ltrgr.evaluation.significance import significant
from ltrgr.report.page.chart import Series, line_chart
from ltrgr.report.page.groups import LABELS, Comparable, Group
from ltrgr.report.page.markup import Safe, el, join
from ltrgr.report.page.runs import Runs
from ltrgr.report.page.widgets import cell, note, section, table
from ltrgr.report.result_table import Cell, Printed, ResultTable, Row, body, from_json, header

METRICS = ("hits@1", "hits@5", "hits@20", "hits@100", "mrr@10", "ndcg@10")
LEVEL = 0.05


def result_tables(runs: Runs, sets: list[Comparable], *, samples: int) -> Safe:
    """The section of tables."""
    shown: list[Safe] = []
    for path in sorted(runs.root.glob("*/table.json"), key=_main_first):
        shown += _written(path)
    measured = [_measured(runs, one, samples=samples) for one in sets]
    if measured:
        shown.append(el("h3", "Everything measured"))
        shown.append(measured[0])
    if len(measured) > 1:
        rest = el("summary", f"Other sets of questions: {len(measured) - 1}")
        shown.append(el("details", rest, *measured[1:]))
    return section(
        "tables",
        "Results",
        *shown,
        lead="Percent. Best of a column in bold; letters mark significant differences; "
        "select a heading to sort.",
    )


def _written(path: Path) -> list[Safe]:
    try:
        found = from_json(path.read_text(encoding="utf-8"))
    except (ValueError, TypeError) as error:
        return [note(f"{path.parent.name}/{path.name} cannot be read: {error}")]
    if not found.varied:
        return [_html(found)]
    title = el("p", found.title, cls="caption")
    rest = el("summary", f"All {len(found.rows)} rows")
    return [title, _lines(found), el("details", rest, _html(found))]


def _main_first(path: Path) -> tuple[bool, str]:
    return path.parent.name != "table", path.parent.name


def _lines(found: ResultTable) -> Safe:
    """A chart for each metric over the setting; a system that it does not touch is dashed."""
    systems = list(dict.fromkeys(row.line for row in found.rows))
    xs = sorted({row.x for row in found.rows if row.x is not None})
    charts = []
    for metric in found.metrics:
        series = []
        for colour, system in enumerate(systems):
            mine = [row for row in found.rows if row.line == system and metric in row.cells]
            fixed = [row.cells[metric].mean for row in mine if row.x is None]
            points = sorted((row.x, row.cells[metric].mean) for row in mine if row.x is not None)
            flat = [(x, value) for value in fixed for x in (xs[0], xs[-1])]
            series.append(
                Series(name=system, points=points or flat, colour=colour, dashed=not points)
            )
        charts.append(
            line_chart(series, label=_spelt(metric), x_label=found.varied, percent=True, wide=True)
        )
    return el("div", *charts, cls="charts two")


def _measured(runs: Runs, one: Comparable, *, samples: int) -> Safe:
    names = [m for m in METRICS if any(m in group.metrics for group in one.groups)]
    base = next((group for group in one.groups if group.system == "bm25"), None)
    rows = tuple(
        _row(runs, group, names, one=one, base=base, samples=samples) for group in one.groups
    )
    title = f"{one.split} split, {one.questions} questions, corpus {one.corpus}"
    notes = [
        f"b: differs from BM25; p: differs from its own stage-1 model; paired randomisation "
        f"test, p < {LEVEL:g}"
    ]
    shown = tuple(_spelt(name) for name in names)
    return _html(ResultTable(title=title, metrics=shown, rows=rows, notes=tuple(notes)))


def _row(
    runs: Runs,
    group: Group,
    names: list[str],
    *,
    one: Comparable,
    base: Group | None,
    samples: int,
) -> Row:
    before = runs.before(group.runs[0])
    origin = next((g for g in one.groups if before in g.runs), None)
    cells = {}
    for name in names:
        if name not in group.metrics:
            continue
        letters = "".join(
            letter
            for letter, other in (("b", base), ("p", origin))
            if other not in (None, group) and _differs(group, other, name, samples=samples)
        )
        spread = group.spread(name)
        cells[_spelt(name)] = Cell(mean=group.mean(name), spread=spread, letters=letters)
    seconds = [run.metrics.get("seconds_per_question") for run in group.runs]
    timed = sorted(s for s in seconds if s is not None)
    return Row(
        name=group.label,
        cells=cells,
        seconds=timed[len(timed) // 2] if timed else None,
        seeds=len(group.runs),
    )


def _differs(a: Group, b: Group | None, metric: str, *, samples: int) -> bool:
    if b is None or metric not in b.metrics:
        return False
    return significant(a.of(metric), b.of(metric), samples=samples, level=LEVEL)


def _html(found: ResultTable) -> Safe:
    names = header(found)
    words = [i == 0 or name == "note" for i, name in enumerate(names)]
    rows = [
        [_cell(printed, head=i == 0, word=words[i]) for i, printed in enumerate(row)]
        for row in body(found)
    ]
    notes = [el("p", line, cls="below") for line in found.notes]
    return join([table(names, rows, caption=found.title), *notes])


def _cell(printed: Printed, *, head: bool, word: bool) -> Safe:
    if head:
        return cell(_named(printed.value), head=True, key=printed.value)
    value = el("strong", printed.value) if printed.best else printed.value
    spread = el("span", f" ± {printed.spread}", cls="spread") if printed.spread else ""
    letters = el("sup", printed.letters) if printed.letters else ""
    return cell(join([value, spread, letters]), key=printed.value, cls="word" if word else None)


def _named(label: str) -> Safe:
    """A generated label in two tones; a row's own name stays as it is."""
    system, _, apart = label.partition(": ")
    if system not in LABELS.values() or not apart:
        return el("span", label)
    return join([el("span", system), " ", el("span", apart, cls="apart")])


def summary(runs: Runs, sets: list[Comparable]) -> Safe:
    """The page's first lines: the best stage-2 system against its start, in figures."""
    if not sets or not (best := sets[0].best()):
        return Safe("")
    before = runs.before(best.runs[0])
    cards = []
    for metric in METRICS:
        if metric in best.metrics:
            value = 100 * best.mean(metric)
            start = before.metrics.get(metric) if before else None
            gain = "" if start is None else f"{value - 100 * start:+.1f} over stage 1"
            cards.append(
                el("div", el("dt", _spelt(metric)), el("dd", f"{value:.1f}"), el("dd", gain))
            )
    words = el("strong", best.apart or best.label)
    return join(
        [
            el("p", f"Best MRR@10 of stage 2, {sets[0].split} split: ", words),
            el("dl", *cards[:6], cls="cards"),
        ]
    )


def _spelt(metric: str) -> str:
    return metric.replace("mrr", "MRR").replace("ndcg", "nDCG")
