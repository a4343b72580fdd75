"""Verdicts: each cell of a table against what earlier runs of it came to."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from ltrgr.disk import write_atomically
from ltrgr.evaluation.reproduction import NEAR, OFF, OK, ONE_RUN, interval, verdict
from ltrgr.report.console import plain
from ltrgr.report.expected import Expected, Figure
from ltrgr.report.result_table import Cell, ResultTable

UNKNOWN, MISSING = "not in the file", "not in the table"

STYLES = {OK: "green", NEAR: "yellow", OFF: "bold red"}

NO_SETTING = ("table", "compute", "wandb", "hydra", "root", "seed", "corpus")
"""Overrides that change no figure beyond what intervals cover; the checksum speaks for corpus."""

KEPT = 5e-7
"""half of the last digit that a file keeps of a figure, as a fraction"""

LAST = ("seed", "precision")
"""The same below any section: rank.seed, pretrain.precision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One cell; figures as fractions."""

    row: str
    metric: str
    verdict: str
    found: float | None = None
    expected: float | None = None
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduction:
    """All cells of a table, and the line that sums them up."""

    summary: str
    cells: tuple[Judged, ...] = ()

    @property
    def off(self) -> bool:
        """Whether any cell is."""
        return any(cell.verdict == OFF for cell in self.cells)


def judge(table: ResultTable, expected: Expected, *, source: str) -> Reproduction:
    """Judge every cell; none where the file is for other questions."""
    if reason := _incomparable(table, expected):
        return Reproduction(summary=f"reproduction: no verdicts: {source} {reason}")
    cells = [*_found(table, expected), *_missing(table, expected)]
    return Reproduction(summary=_summary(cells, table, expected, source), cells=tuple(cells))


def changed(given: Sequence[str], known: Sequence[str]) -> list[str]:
    """The overrides of a setting that only one side has; what the file's runs had is ``without``.

    >>> changed(["root=x", "loss.margin=2", "rank.seed=3"], ["experiment=losses"])
    ['loss.margin=2', 'without experiment=losses']
    """
    ours, theirs = list(_settings(given)), list(_settings(known))
    return [
        *(one for one in ours if one not in theirs),
        *(f"without {one}" for one in theirs if one not in ours),
    ]


def verdict_table(reproduction: Reproduction) -> Table:
    """Row x metric; a cell that is not ok shows what was found and where it was expected."""
    metrics = list(dict.fromkeys(cell.metric for cell in reproduction.cells))
    rendered = Table(title="Against earlier runs", box=SIMPLE_HEAD, pad_edge=False)
    rendered.title_justify = "left"
    for name in ("model", *metrics):
        rendered.add_column(plain(name), overflow="fold")
    by_row: dict[str, dict[str, Judged]] = {}
    for cell in reproduction.cells:
        if cell.verdict != MISSING:
            by_row.setdefault(cell.row, {})[cell.metric] = cell
    for row, cells in by_row.items():
        rendered.add_row(plain(row), *(_text(cells.get(metric)) for metric in metrics))
    return rendered


def write_reproduction(reproduction: Reproduction, directory: Path) -> Path:
    """Write ``reproduction.json`` beside the table."""
    path = directory / "reproduction.json"
    write_atomically(path, json.dumps(asdict(reproduction), indent=2, ensure_ascii=False) + "\n")
    return path


def _incomparable(table: ResultTable, expected: Expected) -> str:
    found = table.origin
    if "outdated" in expected.notes:
        return f"is outdated: {expected.notes['outdated']}"
    if expected.unit != "percent":
        return f"has figures in {expected.unit}, expected percent"
    if found is None:
        return "cannot be compared with a table without an origin"
    known = expected.origin
    if found.checksum != known.checksum:
        return (
            f"is for the corpus {known.corpus} ({known.checksum:.12}); "
            f"this one is {found.corpus} ({found.checksum:.12})"
        )
    if (found.split, found.questions) != (known.split, known.questions):
        return (
            f"is for {known.questions} questions of {known.split}; "
            f"these are {found.questions} of {found.split}"
        )
    return ""


def _found(table: ResultTable, expected: Expected) -> Iterable[Judged]:
    for row in table.rows:
        figures = expected.rows.get(row.name, {})
        for metric, cell in row.cells.items():
            yield _judged(row.name, metric, cell, row.seeds, figures.get(metric), expected)


def _judged(
    row: str, metric: str, cell: Cell, seeds: int, figure: Figure | None, expected: Expected
) -> Judged:
    if figure is None:
        return Judged(row=row, metric=metric, verdict=UNKNOWN, found=cell.mean)
    questions = expected.origin.questions
    return Judged(
        row=row,
        metric=metric,
        verdict=verdict(cell.mean, figure.known, seeds=seeds, questions=questions),
        found=cell.mean,
        expected=figure.known.mean,
        interval=interval(figure.known, seeds=seeds, questions=questions),
    )


def _missing(table: ResultTable, expected: Expected) -> Iterable[Judged]:
    there = {(row.name, metric) for row in table.rows for metric in row.cells}
    for row, figures in expected.rows.items():
        for metric, figure in figures.items():
            if (row, metric) not in there:
                mean = figure.known.mean
                yield Judged(row=row, metric=metric, verdict=MISSING, expected=mean)


def _summary(cells: Sequence[Judged], table: ResultTable, expected: Expected, source: str) -> str:
    count = Counter(cell.verdict for cell in cells)
    parts = [f"{count[name]} {name}" for name in (OK, NEAR, OFF)]
    parts += [f"{count[ONE_RUN]} with {ONE_RUN}{_equal(cells)}"] if count[ONE_RUN] else []
    parts += [f"{count[UNKNOWN]} {UNKNOWN}"] if count[UNKNOWN] else []
    line = f"reproduction: {', '.join(parts)} of {len(cells) - count[MISSING]} cells ({source})"
    if names := _absent(cells):
        line += f"; {MISSING}: {', '.join(names)}"
    other = changed(table.origin.overrides, expected.origin.overrides) if table.origin else []
    return line + (f"; with other settings: {', '.join(other)}" if other else "")


def _equal(cells: Sequence[Judged]) -> str:
    """How many cells with one earlier run have its figure, to the digits that its file keeps."""
    once = [(c.found, c.expected) for c in cells if c.verdict == ONE_RUN]
    same = sum(a is not None and b is not None and abs(a - b) < KEPT for a, b in once)
    return f" ({same} equal to it)"


def _absent(cells: Sequence[Judged]) -> list[str]:
    """What the table lacks: whole rows by their name, else row and metric."""
    there = {cell.row for cell in cells if cell.verdict != MISSING}
    return list(
        dict.fromkeys(
            f"{cell.row} {cell.metric}" if cell.row in there else cell.row
            for cell in cells
            if cell.verdict == MISSING
        )
    )


def _settings(overrides: Sequence[str]) -> Iterable[str]:
    for override in overrides:
        name, _, value = override.lstrip("+~").partition("=")
        parts = name.replace("/", ".").split(".")
        if name == "experiment":  # several at once are each a setting
            yield from (f"experiment={one.strip()}" for one in value.strip("[]").split(","))
        elif parts[0] not in NO_SETTING and parts[-1] not in LAST:
            yield override


def _text(cell: Judged | None) -> Text:
    if cell is None or cell.found is None:
        return plain("-")
    shown = "one run" if cell.verdict == ONE_RUN else cell.verdict
    if cell.verdict != OK:
        shown += f" {100 * cell.found:.1f}"
    if cell.verdict != OK and cell.interval is not None:
        low, high = cell.interval
        shown += f" ({100 * low:.1f} to {100 * high:.1f})"
    elif cell.verdict == ONE_RUN and cell.expected is not None:
        shown += f" ({100 * cell.expected:.1f})"
    return plain(shown, STYLES.get(cell.verdict, "dim"))
