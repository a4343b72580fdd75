"""The main table: every system measured, with spread over seeds and significance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltrgr.evaluation.significance import per_question, significant
from ltrgr.pipeline.evaluate_stage import Measured
from ltrgr.pipeline.paired import gains
from ltrgr.report.result_table import Cell, ResultTable, Row


@dataclass(frozen=True, kw_only=True)
class System:
    """One row, measured once per seed."""

    name: str
    runs: Sequence[Measured]
    note: str = ""
    line: str = ""
    x: float | None = None
    base: str = ""
    """the row that this one is built on: its gain over that one is reported"""
    control: str = ""
    """a row of equal cost without what this one adds: the gain over it is reported, too"""
    seeds: Sequence[int] = ()
    """seed of each run; empty where nothing is trained"""

    def mean(self, metric: str) -> NDArray[np.float64]:
        """[n] per-question value, averaged over the seeds."""
        return per_question(self.of(metric))

    def of(self, metric: str) -> list[NDArray[np.float64]]:
        """[n] per-question value of each seed."""
        return [run.values[metric] for run in self.runs]

    @property
    def by_seed(self) -> dict[int, Measured]:
        """seed -> run"""
        return dict(zip(self.seeds, self.runs, strict=False))


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A letter for every cell whose difference to ``reference`` is significant."""

    reference: str | None
    """name of a row; None: each row's own ``base``"""
    letter: str

    def of(self, system: System) -> str:
        """The row that ``system`` is compared with."""
        return system.base if self.reference is None else self.reference


def make_table(
    systems: Sequence[System],
    *,
    title: str,
    metrics: Mapping[str, str],
    comparisons: Sequence[Comparison],
    level: float,
    samples: int,
    notes: Sequence[str] = (),
    varied: str = "",
) -> ResultTable:
    """The table of ``systems``.

    Args:
        metrics: measured name -> column name.
        level: significance level of the two-sided paired randomisation test over questions; a
            system of several seeds takes part with its per-question mean.
    """
    by_name = {system.name: system for system in systems}
    present = [c for c in comparisons if any(c.of(system) in by_name for system in systems)]
    rows = [
        Row(
            name=system.name,
            cells={
                shown: Cell(
                    mean=float(system.mean(metric).mean()),
                    spread=_spread([run.means()[metric] for run in system.runs]),
                    values=tuple(run.means()[metric] for run in system.runs),
                    letters="".join(
                        c.letter
                        for c in present
                        if c.of(system) in by_name
                        and _differs(
                            system, by_name[c.of(system)], metric, level=level, samples=samples
                        )
                    ),
                )
                for metric, shown in metrics.items()
                if metric in system.runs[0].values
            },
            seconds=float(np.median([run.seconds_per_question for run in system.runs])),
            seeds=len(system.runs),
            note=system.note,
            line=system.line,
            x=system.x,
        )
        for system in systems
    ]
    explained = [
        f"{c.letter}: differs from {c.reference or 'its own base'}, paired randomisation test, "
        f"p < {level:g}"
        for c in present
    ]
    several = any(len(system.runs) > 1 for system in systems)
    spread = "; ± is the standard deviation over the seeds, of both stages" if several else ""
    n = len(systems[0].runs[0].query_ids)
    return ResultTable(
        title=title,
        metrics=tuple(metrics.values()),
        rows=tuple(rows),
        notes=(
            *explained,
            *_gains(by_name, metrics=metrics, samples=samples),
            f"{n} questions{spread}",
            *notes,
        ),
        varied=varied,
    )


def _gains(by_name: Mapping[str, System], *, metrics: Mapping[str, str], samples: int) -> list[str]:
    """A line for each row that is built on another, or has a control, that is in the table."""
    lines = []
    for system in by_name.values():
        for reference in (system.base, system.control):
            other = by_name.get(reference)
            if other is None or not system.by_seed.keys() & other.by_seed.keys():
                continue
            found = gains(system.by_seed, other.by_seed, metrics=list(metrics), samples=samples)
            shown = ", ".join(f"{metrics[metric]} {gain}" for metric, gain in found.items())
            lines.append(f"{system.name} over {reference}, seed by seed: {shown}")
    return lines


def _spread(means: Sequence[float]) -> float | None:
    return float(np.std(means, ddof=1)) if len(means) > 1 else None


def _differs(a: System, b: System, metric: str, *, level: float, samples: int) -> bool:
    if a.name == b.name:
        return False
    return significant(a.of(metric), b.of(metric), samples=samples, level=level)
