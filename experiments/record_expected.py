"""Write an experiment's expected.yaml from the tables of its runs.

    python experiments/record_expected.py experiments/main_table runs1/table/table.json ...

Runs are pooled row by row and metric by metric; the paper's column, `note` and `minutes` stay. A
table that repeats another in every cell is the same runs again and is left out. Tables written
before they held an origin take it from the file that is there, or from --corpus, --checksum,
--split and --questions.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from ltrgr.errors import LtrgrError
from ltrgr.evaluation.reproduction import Spread, pooled
from ltrgr.report.expected import Expected, ExpectedError, Figure, read_expected, write_expected
from ltrgr.report.result_table import Cell, Origin, ResultTable, Row, from_json


class RecordError(LtrgrError):
    """The tables cannot become one file."""


def main(argv: Sequence[str] | None = None) -> int:
    """Record and return the exit code."""
    given = _arguments(argv)
    try:
        path = given.experiment / given.file
        tables = _distinct({str(one): _table(one) for one in given.tables})
        old = read_expected(path) if path.is_file() else None
        origin = _origin(tables, old, given)
        paper = {
            row: {metric: figure.paper for metric, figure in figures.items()}
            for row, figures in (old.rows if old else {}).items()
        }
        notes = {**(old.notes if old else {}), **({"note": given.note} if given.note else {})}
        notes.pop("outdated", None)  # these are new
        expected = Expected(origin=origin, rows=record(tables, paper=paper), notes=notes)
        write_expected(path, expected)
        if gone := [name for name in paper if name not in expected.rows]:
            print(f"left out, no table has them: {', '.join(gone)}")
    except (RecordError, ExpectedError) as error:
        print(f"record_expected: {error}", file=sys.stderr)
        return 2
    print(f"{path}: {len(expected.rows)} rows from {len(tables)} table(s)")
    return 0


def record(
    tables: Sequence[ResultTable], *, paper: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Figure]]:
    """Every cell of the tables, pooled; rows that no table has go."""
    rows: dict[str, dict[str, list[tuple[Row, Cell]]]] = {}
    for table in tables:
        for row in table.rows:
            for metric, cell in row.cells.items():
                rows.setdefault(row.name, {}).setdefault(metric, []).append((row, cell))
    return {
        name: {
            metric: Figure(
                known=pooled([_spread(row, cell) for row, cell in cells]),
                seeds=max(row.seeds for row, _ in cells),
                paper=paper.get(name, {}).get(metric),
            )
            for metric, cells in metrics.items()
        }
        for name, metrics in rows.items()
    }


def _spread(row: Row, cell: Cell) -> Spread:
    """The runs themselves where the table has them, else their summary."""
    if cell.values:
        return pooled([Spread(runs=1, mean=value) for value in cell.values])
    if row.seeds > 1 and cell.spread is None:
        raise RecordError(f"row {row.name!r} has {row.seeds} seeds and neither runs nor a spread")
    return Spread(runs=row.seeds, mean=cell.mean, sd=cell.spread)


def _distinct(tables: Mapping[str, ResultTable]) -> list[ResultTable]:
    kept: dict[str, ResultTable] = {}
    for name, table in tables.items():
        same = next((other for other, one in kept.items() if _means(one) == _means(table)), None)
        if same is None:
            kept[name] = table
        else:
            print(f"{name}: left out, it repeats {same} in every cell")
    return list(kept.values())


def _means(table: ResultTable) -> dict[tuple[str, str], float]:
    return {(row.name, metric): c.mean for row in table.rows for metric, c in row.cells.items()}


def _table(path: Path) -> ResultTable:
    try:
        return from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RecordError(f"{path}: {error}") from error


def _origin(
    tables: Sequence[ResultTable], old: Expected | None, given: argparse.Namespace
) -> Origin:
    origins = [table.origin for table in tables if table.origin is not None]
    origins = origins or [old.origin if old else _named(given)]
    for name in ("checksum", "split", "questions", "overrides"):
        if len({str(getattr(one, name)) for one in origins}) > 1:
            raise RecordError(f"the tables differ in {name}: each file is for one")
    varies: dict[str, tuple[str, ...]] = {}
    for one in origins:
        for name, values in one.varies.items():
            varies[name] = tuple(dict.fromkeys([*varies.get(name, ()), *values]))
    varies |= dict(given.varies)
    overrides = tuple(given.overrides) if given.overrides is not None else origins[0].overrides
    return replace(origins[0], overrides=overrides, varies=varies)


def _named(given: argparse.Namespace) -> Origin:
    missing = [n for n in ("corpus", "checksum", "split", "questions") if not getattr(given, n)]
    if missing:
        raise RecordError(f"no table has an origin; expected --{', --'.join(missing)}")
    return Origin(
        corpus=given.corpus,
        checksum=given.checksum,
        split=given.split,
        questions=given.questions,
    )


def _varied(text: str) -> tuple[str, tuple[str, ...]]:
    """``threads=1,2``; a value with a comma in it is quoted: ``cpus=["A, AVX2"]``."""
    name, _, values = text.partition("=")
    listed = yaml.safe_load(values if values.startswith("[") else f"[{values}]")
    return name, tuple(map(str, listed))


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("experiment", type=Path, help="folder, as experiments/main_table")
    parser.add_argument("tables", type=Path, nargs="+", help="table.json of each set of runs")
    parser.add_argument("--file", default="expected.yaml", help="name of the file in the folder")
    parser.add_argument("--corpus", help="name; for tables without an origin, as the next three")
    parser.add_argument("--checksum")
    parser.add_argument("--split")
    parser.add_argument("--questions", type=int)
    parser.add_argument("--overrides", nargs="*", help="of the runs, if the tables do not say")
    parser.add_argument(
        "--varies",
        type=_varied,
        action="append",
        default=[],
        metavar="NAME=VALUE,VALUE",
        help="what the runs vary, if the tables do not say",
    )
    parser.add_argument("--note", default="", help="a line for people")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
