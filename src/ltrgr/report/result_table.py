"""The main table: rows of systems, columns of metrics."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One metric of one system, as a fraction in [0, 1]; printed times 100."""

    mean: float
    spread: float | None = None
    """Standard deviation over seeds; None for a single run."""
    letters: str = ""
    """Letters of the significance tests this cell passes; the table's notes explain them."""
    values: tuple[float, ...] = ()
    """The mean of each run, in the order of the seeds; empty in tables of an older version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One system."""

    name: str
    cells: Mapping[str, Cell]
    """metric -> cell; a metric that is absent is printed as a dash."""
    seconds: float | None = None
    """Seconds per question."""
    seeds: int = 1
    note: str = ""
    line: str = ""
    """In a table over a varied setting: the system, ..."""
    x: float | None = None
    """... and the setting's value; None where the system does not depend on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What was asked of which corpus, and by which runs: what tables are compared by."""

    corpus: str
    checksum: str
    split: str
    questions: int
    overrides: tuple[str, ...] = ()
    """The user's, as far as they change a setting."""
    varies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """``seeds``, ``precisions``, ``threads``, ``cpus`` and ``torch`` of the runs: what they had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultTable:
    """Rows over ``metrics``, in print order; ``notes`` are the lines below the table."""

    title: str
    metrics: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    varied: str = ""
    """What ``Row.x`` is, for the picture's axis; empty for a table of plain rows."""
    origin: Origin | None = None
    """None in tables of an older version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """One cell as every renderer prints it."""

    value: str
    spread: str = ""
    letters: str = ""
    best: bool = False


ABSENT = Printed(value="-")


def header(table: ResultTable) -> list[str]:
    """Return the column names."""
    seeds = ["seeds"] if any(row.seeds > 1 for row in table.rows) else []
    notes = ["note"] if any(row.note for row in table.rows) else []
    return ["model", *table.metrics, "seconds / question", *seeds, *notes]


def body(table: ResultTable) -> list[list[Printed]]:
    """Return the printed cells, row by row; the best value of a column is marked.

    Metrics are percentages with one decimal and higher is better; seconds have two significant
    digits and lower is better. Values with the same print share the mark.
    """
    columns = [[_metric(row.cells.get(metric)) for row in table.rows] for metric in table.metrics]
    columns = [_mark(column, best=max) for column in columns]
    seconds = [
        ABSENT if row.seconds is None else Printed(value=_seconds(row.seconds))
        for row in table.rows
    ]
    columns = [[Printed(value=row.name) for row in table.rows], *columns, _mark(seconds, best=min)]
    if "seeds" in header(table):
        columns.append([Printed(value=str(row.seeds)) for row in table.rows])
    if "note" in header(table):
        columns.append([Printed(value=row.note) for row in table.rows])
    return [list(row) for row in zip(*columns, strict=True)]


def explained(note: str, table: ResultTable) -> tuple[str, str]:
    """Split a note ``a: what the letter a says`` that explains a letter of a cell.

    Returns:
        the letter, empty where the note explains none, and the rest
    """
    letter, colon, rest = note.partition(": ")
    used = "".join(cell.letters for row in table.rows for cell in row.cells.values())
    return (letter, rest) if colon and len(letter) == 1 and letter in used else ("", note)


def to_json(table: ResultTable) -> str:
    """Return the table with full precision; ``from_json`` gives it back."""
    return json.dumps(asdict(table), indent=2, ensure_ascii=False) + "\n"


def from_json(text: str) -> ResultTable:
    """Return the table that ``to_json`` wrote.

    Raises:
        ValueError: the text is not such a table; says what is wrong.
    """
    try:
        loaded = json.loads(text)
        rows = tuple(_row(row) for row in loaded["rows"])
        metrics, notes = tuple(loaded["metrics"]), tuple(loaded["notes"])
        return ResultTable(
            title=loaded["title"],
            metrics=metrics,
            rows=rows,
            notes=notes,
            varied=loaded.get("varied", ""),
            origin=_origin(loaded.get("origin")),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(
            f"this JSON is not a result table ({error!r}); expected title, metrics, rows and "
            "notes. Write it again with: ltrgr table"
        ) from error


def _row(loaded: dict[str, Any]) -> Row:
    cells = {
        metric: Cell(**(cell | {"values": tuple(cell.get("values", ()))}))
        for metric, cell in loaded["cells"].items()
    }
    return Row(**(loaded | {"cells": cells}))


def _origin(loaded: dict[str, Any] | None) -> Origin | None:
    if loaded is None:
        return None
    varies = {name: tuple(values) for name, values in loaded.get("varies", {}).items()}
    overrides = tuple(loaded.get("overrides", ()))
    return Origin(**(loaded | {"overrides": overrides, "varies": varies}))


def _metric(cell: Cell | None) -> Printed:
    if cell is None:
        return ABSENT
    spread = "" if cell.spread is None else f"{100 * cell.spread:.1f}"
    return Printed(value=f"{100 * cell.mean:.1f}", spread=spread, letters=cell.letters)


def _seconds(seconds: float) -> str:
    """Return two significant digits (whole seconds from 10 on), or that it is below a millisecond.

    >>> [_seconds(s) for s in (0.00004, 0.00123, 0.0175, 0.25, 1.04, 12.34, 345.6)]
    ['< 0.001', '0.0012', '0.018', '0.25', '1.0', '12', '346']
    """
    if seconds < 0.001:
        return "< 0.001"
    decimals = next(d for d in range(5) if seconds >= 10 ** (1 - d))
    return f"{seconds:.{decimals}f}"


def _mark(column: list[Printed], *, best: Any) -> list[Printed]:
    values = [_number(cell) for cell in column if cell is not ABSENT]
    if not values:
        return column
    top = best(values)
    return [
        cell
        if cell is ABSENT
        else Printed(
            value=cell.value,
            spread=cell.spread,
            letters=cell.letters,
            best=_number(cell) == top,
        )
        for cell in column
    ]


def _number(cell: Printed) -> float:
    """As printed; "< 0.001" is less than 0.0010."""
    return 0.0 if cell.value.startswith("<") else float(cell.value)
