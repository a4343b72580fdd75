"""What a table is expected to come to: ``experiments/<name>/expected.yaml``, read and written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from ltrgr.disk import write_atomically
from ltrgr.errors import LtrgrError
from ltrgr.evaluation.reproduction import Spread, interval
from ltrgr.report.result_table import Origin

UNITS = {"percent": 100.0, "ratio": 1.0}
"""unit of a file -> what its figures are divided by"""

HEADER = """\
# experiments/README.md explains the fields; experiments/record_expected.py writes them from tables.
"""

DIGITS = 4
"""of a percentage: a run of 1,000 questions over three seeds has steps of 0.033"""


class ExpectedError(LtrgrError):
    """An expected.yaml is not what it should be; the message names the file and the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One metric of one row: the earlier runs, and what the paper has."""

    known: Spread
    seeds: int = 1
    """of a table's cell; the interval in the file is for a mean over as many"""
    paper: float | str | None = None
    """in the file's unit, untouched: another corpus, so it is never compared"""


NOTES = ("note", "minutes", "outdated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A whole file; means and deviations as fractions, whatever the file's unit."""

    origin: Origin
    rows: Mapping[str, Mapping[str, Figure]]
    unit: str = "percent"
    notes: Mapping[str, Any] = field(default_factory=dict)
    """``note`` and ``minutes``, for people; ``outdated``: why nothing is compared with the file"""


def read_expected(path: Path) -> Expected:
    """Read and check a file.

    Raises:
        ExpectedError: says which field of which file is not as expected.
    """
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise ExpectedError(f"{path}: cannot be read: {reason}") from error
    fields = Fields(str(path), "", loaded)
    unit = fields.text("unit", default="percent")
    if unit not in UNITS:
        raise fields.wrong("unit", unit, f"one of {', '.join(UNITS)}")
    rows = fields.inside("rows")
    return Expected(
        origin=_origin(fields),
        unit=unit,
        notes={key: loaded[key] for key in NOTES if key in loaded},
        rows={
            name: {
                metric: _figure(rows.inside(name).inside(metric), UNITS[unit])
                for metric in rows.inside(name).found
            }
            for name in rows.found
        },
    )


def write_expected(path: Path, expected: Expected) -> None:
    """Write a file that ``read_expected`` gives back, one line a figure, with its interval."""
    origin, scale = expected.origin, UNITS[expected.unit]
    head = {
        **expected.notes,
        "corpus": {"name": origin.corpus, "checksum": origin.checksum},
        "split": origin.split,
        "questions": origin.questions,
        "overrides": list(origin.overrides),
        "varies": {name: list(values) for name, values in origin.varies.items()},
        "unit": expected.unit,
    }
    lines = [_dumped(head, flow=None), "rows:\n"]
    for name, figures in expected.rows.items():
        lines.append(f"  {_inline(name)}:\n")
        for metric, figure in figures.items():
            shown = _shown(figure, questions=origin.questions, scale=scale)
            lines.append(f"    {_inline(metric)}: {_inline(shown)}\n")
    write_atomically(path, HEADER + "".join(lines))


@dataclass(frozen=True, slots=True)
class Fields:
    """One mapping of a file, with the place it has there."""

    file: str
    place: str
    value: Any

    @property
    def found(self) -> dict[str, Any]:
        """The mapping itself."""
        if not isinstance(self.value, dict):
            raise ExpectedError(
                f"{self.file}: {self.place or 'the whole file'}: found {self.value!r:.60}, "
                "expected names with values"
            )
        return self.value

    def inside(self, name: str) -> Fields:
        """The mapping under ``name``."""
        return Fields(self.file, f"{self.place}.{name}".lstrip("."), self.found.get(name))

    def wrong(self, name: str, found: Any, expected: str) -> ExpectedError:
        """The error for one field."""
        place = self.inside(name).place
        return ExpectedError(f"{self.file}: {place}: found {found!r:.60}, expected {expected}")

    def text(self, name: str, *, default: str | None = None) -> str:
        """A text."""
        value = self.found.get(name, default)
        if not isinstance(value, str):
            raise self.wrong(name, value, "a text")
        return value

    def count(self, name: str) -> int:
        """A whole number, 1 or more."""
        value = self.found.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise self.wrong(name, value, "a whole number, 1 or more")
        return value

    def number(self, name: str) -> float:
        """A number."""
        value = self.found.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.wrong(name, value, "a number")
        return float(value)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list, its values as texts; nothing where it is not there."""
        value = self.found.get(name, [])
        if not isinstance(value, list):
            raise self.wrong(name, value, "a list")
        return tuple(map(str, value))


def _origin(fields: Fields) -> Origin:
    varies = fields.inside("varies")
    return Origin(
        corpus=fields.inside("corpus").text("name"),
        checksum=fields.inside("corpus").text("checksum"),
        split=fields.text("split"),
        questions=fields.count("questions"),
        overrides=fields.texts("overrides"),
        varies={name: varies.texts(name) for name in varies.found},
    )


def _figure(fields: Fields, scale: float) -> Figure:
    runs = fields.count("runs")
    sd = fields.number("sd") / scale if runs > 1 else None
    return Figure(
        known=Spread(runs=runs, mean=fields.number("mean") / scale, sd=sd),
        seeds=fields.count("seeds"),
        paper=fields.found.get("paper"),
    )


def _shown(figure: Figure, *, questions: int, scale: float) -> dict[str, Any]:
    """Mean and deviation are rounded first: the interval follows from what the file holds."""
    mean = round(scale * figure.known.mean, DIGITS)
    sd = None if figure.known.sd is None else round(scale * figure.known.sd, DIGITS)
    kept = Spread(runs=figure.known.runs, mean=mean / scale, sd=None if sd is None else sd / scale)
    ends = interval(kept, seeds=figure.seeds, questions=questions)
    return {
        "mean": mean,
        "sd": sd,
        "runs": kept.runs,
        "seeds": figure.seeds,
        "interval": None if ends is None else [round(scale * end, 2) for end in ends],
        "paper": figure.paper,
    }


def _inline(value: Any) -> str:
    return _dumped(value, flow=True).strip().removesuffix("\n...")


def _dumped(value: Any, *, flow: bool | None) -> str:
    return str(
        yaml.safe_dump(
            value, default_flow_style=flow, sort_keys=False, allow_unicode=True, width=1000
        )
    )
