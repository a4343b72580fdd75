"""The table on the terminal, the JSON file, and the comparison of two of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.anchors import ANCHORS, BORDER, Anchor, at
from benchmarks.measure import Row
from ltrgr.errors import LtrgrError

HEADER = f"{'':52} {'median':>9} {'unit':14} {'low..high':>17}  {'target':>12}  beside others"


class ReportError(LtrgrError):
    """A report that is missing, foreign, or about something else."""


def heading(corpus: dict[str, Any]) -> str:
    """What is measured, and the table's head."""
    size = "100" if corpus["tokens"] > BORDER else "3"
    return (
        f"{corpus['name']}: {corpus['tokens']:,} tokens, {corpus['passages']:,} passages, "
        f"{corpus['vocabulary']:,} token ids\n"
        f"SEAL, prototype: figures at {size} M tokens from another machine; all others: this run\n"
        f"(12x): this run is 12 times better\n\n{HEADER}\n{'-' * len(HEADER)}"
    )


def line(row: Row, *, n_tokens: int) -> str:
    """One row of the table: measured, aimed at, and how many times better than others."""
    anchor = ANCHORS.get(row.name, Anchor())
    target = at(anchor.target, n_tokens)
    met = ""
    if target is not None:
        good = row.median >= target if anchor.more_is_better else row.median <= target
        met = f"{'>=' if anchor.more_is_better else '<='} {target:g} {'ok' if good else 'NO'}"
    spread = f"{_short(min(row.values))}..{_short(max(row.values))}"
    beside = ", ".join(_beside(row, anchor, n_tokens))
    note = f"  ({row.note})" if row.note else ""
    return (
        f"{row.name:52} {_short(row.median):>9} {row.unit:14} {spread:>17}  {met:>12}  "
        f"{beside}{note}"
    ).rstrip()


def _beside(row: Row, anchor: Anchor, n_tokens: int) -> Iterable[str]:
    others = dict(row.references)
    for name, pair in (("SEAL", anchor.seal), ("prototype", anchor.prototype)):
        figure = at(pair, n_tokens)
        if figure is not None:
            others[name] = figure
    for name, figure in others.items():
        better, worse = (row.median, figure) if anchor.more_is_better else (figure, row.median)
        ratio = better / worse if worse else float("inf")
        yield f"{name} {_short(figure)} ({_short(ratio)}x)"


def _short(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def as_plain(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Rows for the JSON file."""
    return [
        {
            "name": row.name,
            "unit": row.unit,
            "median": row.median,
            "low": min(row.values),
            "high": max(row.values),
            "values": row.values,
            "references": dict(row.references),
            "note": row.note,
        }
        for row in rows
    ]


def write(report: dict[str, Any], path: Path) -> None:
    """Through a temporary name: a killed run leaves no half of a report."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(report, indent=1) + "\n")
    partial.replace(path)


def read(path: Path) -> dict[str, Any]:
    """The report that ``write`` wrote.

    Raises:
        ReportError: no such file, or another kind of file.
    """
    try:
        report: dict[str, Any] = json.loads(path.read_text())
        if {"settings", "corpus", "rows", "environment"} <= report.keys():
            return report
        found = "other JSON"
    except (OSError, ValueError, AttributeError) as error:
        found = str(error)
    raise ReportError(f"{path}: found {found}, expected a report; write one with `make bench`")


def compare(base: dict[str, Any], new: dict[str, Any]) -> str:
    """Medians of both for each row, and new / base; marked where the spreads do not overlap.

    Raises:
        ReportError: the two are about different corpora.
    """
    if base["corpus"] != new["corpus"]:
        raise ReportError(
            f"the base measured {base['corpus']}, this one {new['corpus']}: expected the same; "
            "run `make bench-compare BASE=...` without other ARGS"
        )
    lines = [
        f"base {_commit(base)} -> new {_commit(new)}; * = the spreads do not overlap",
        f"{'':52} {'base':>9} {'new':>9} {'unit':14} new/base",
    ]
    lines += [
        f"warning: {field} differ: {base['environment'].get(field)} -> {now}"
        for field, now in new["environment"].items()
        if field in ("processor", "threads", "device") and now != base["environment"].get(field)
    ]
    before = {row["name"]: row for row in base["rows"]}
    for row in new["rows"]:
        old = before.pop(row["name"], None)
        if old is None:
            lines.append(f"{row['name']:52} {'-':>9} {_short(row['median']):>9} {row['unit']}")
            continue
        apart = row["low"] > old["high"] or row["high"] < old["low"]
        apart &= min(len(row["values"]), len(old["values"])) >= 3  # fewer have no spread
        ratio = row["median"] / old["median"] if old["median"] else float("nan")
        lines.append(
            f"{row['name']:52} {_short(old['median']):>9} {_short(row['median']):>9} "
            f"{row['unit']:14} {ratio:.2f}{' *' if apart else ''}"
        )
    lines += [f"{name:52} {_short(row['median']):>9} {'-':>9}" for name, row in before.items()]
    return "\n".join(lines)


def _commit(report: dict[str, Any]) -> str:
    git = report["environment"].get("git") or {}
    return f"{(git.get('commit') or 'unknown')[:10]}{'+changes' if git.get('dirty') else ''}"
