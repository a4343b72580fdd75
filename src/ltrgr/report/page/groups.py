"""Measured systems: evaluations of one configuration, one per seed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltrgr.evaluation.significance import per_question
from ltrgr.report.page.differences import Axis, Flat, axes, described, flatten, seed_of
from ltrgr.report.page.runs import Run, Runs, asked
from ltrgr.report.result_table import Cell, Row

LABELS = {"bm25": "BM25", "pretrain": "Stage 1", "rank": "Stage 2"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Group:
    """One configuration, its evaluations in the order of their seeds."""

    system: str
    apart: str
    """what sets it apart from the others of its system"""
    flat: Flat
    runs: tuple[Run, ...]
    seeds: tuple[int | None, ...]

    @property
    def label(self) -> str:
        """Its name in one line."""
        return ": ".join(filter(None, [LABELS.get(self.system, self.system), self.apart]))

    def mean(self, metric: str) -> float:
        """Mean over questions and seeds."""
        return float(self.per_question(metric).mean())

    def spread(self, metric: str) -> float | None:
        """Standard deviation over seeds; None for a single run."""
        means = [float(run.values[metric].mean()) for run in self.runs]
        return float(np.std(means, ddof=1)) if len(means) > 1 else None

    def per_question(self, metric: str) -> NDArray[np.float64]:
        """[n] value per question, averaged over seeds."""
        return per_question(self.of(metric))

    def of(self, metric: str) -> list[NDArray[np.float64]]:
        """[n] value per question of each seed."""
        return [run.values[metric] for run in self.runs]

    def row(self, letters: Mapping[str, str]) -> Row:
        """Its line in a table with the metrics of ``letters``, each marked with those."""
        cells = {
            spelt(m): Cell(mean=self.mean(m), spread=self.spread(m), letters=marks)
            for m, marks in letters.items()
            if m in self.metrics
        }
        seconds = [run.metrics.get("seconds_per_question") for run in self.runs]
        timed = sorted(s for s in seconds if s is not None)
        middle = timed[len(timed) // 2] if timed else None
        return Row(name=self.label, cells=cells, seconds=middle, seeds=len(self.runs))

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """Metrics that every run has."""
        return tuple(m for m in self.runs[0].values if all(m in run.values for run in self.runs))


@dataclass(frozen=True, kw_only=True)
class Comparable:
    """The groups that answered the same questions."""

    split: str
    questions: int
    corpus: str
    groups: tuple[Group, ...]
    axes: tuple[Axis, ...]
    """settings that differ between the stage-2 groups"""

    @property
    def ranked(self) -> list[Group]:
        """Stage-2 groups."""
        return [group for group in self.groups if group.system == "rank"]

    def best(self, metric: str = "mrr@10") -> Group | None:
        """The stage-2 group that is best in a metric."""
        able = [group for group in self.ranked if metric in group.metrics]
        return max(able, key=lambda group: group.mean(metric), default=None)


def best_first(groups: Sequence[Group]) -> list[Group]:
    """By MRR@10; those that lack it come last."""
    return sorted(groups, key=lambda g: -g.mean("mrr@10") if "mrr@10" in g.metrics else 0.0)


def comparables(runs: Runs, *, among: Collection[str] | None = None) -> list[Comparable]:
    """Evaluations by what was asked; the set with the most questions and runs first.

    Args:
        among: names of evaluations; None: all.
    """
    sets: dict[tuple[Any, ...], list[Run]] = defaultdict(list)
    for run in runs.of("evaluate"):
        if run.values and (among is None or run.name in among):
            ids = tuple((run.read("per_question.json") or {}).get("query_ids", ()))
            sets[(*asked(run), hash(ids))].append(run)
    found = [_comparable(runs, members) for members in sets.values()]
    return sorted(found, key=lambda one: (-one.questions, -len(one.groups)))


def spelt(metric: str) -> str:
    """A metric as people write it.

    >>> spelt("mrr@10"), spelt("ndcg@10"), spelt("hits@5")
    ('MRR@10', 'nDCG@10', 'hits@5')
    """
    return metric.replace("mrr", "MRR").replace("ndcg", "nDCG")


def _comparable(runs: Runs, members: list[Run]) -> Comparable:
    flats = {run.name: flatten(runs, run) for run in members}
    by_system: dict[str, list[Run]] = defaultdict(list)
    for run in members:
        by_system[str(run.inputs.get("system"))].append(run)
    groups: list[Group] = []
    apart: tuple[Axis, ...] = ()
    for system in [*LABELS, *sorted(set(by_system) - set(LABELS))]:
        mine = by_system.get(system, [])
        own = [flats[run.name] for run in mine]
        differing = tuple(axes(own))
        apart = differing if system == "rank" else apart
        groups += _groups(runs, system, mine, flats, differing)
    first = members[0]
    return Comparable(
        split=str(first.inputs.get("settings", {}).get("split", "")),
        questions=len(next(iter(first.values.values()))),
        corpus=str(first.inputs.get("corpus", ""))[:8],
        groups=tuple(groups),
        axes=apart,
    )


def _groups(
    runs: Runs, system: str, members: list[Run], flats: dict[str, Flat], differing: tuple[Axis, ...]
) -> list[Group]:
    equal: dict[str, list[Run]] = defaultdict(list)
    for run in members:
        equal[json.dumps(flats[run.name], sort_keys=True, default=str)].append(run)
    everything = [flats[run.name] for run in members]
    groups = []
    for same in equal.values():
        same.sort(key=lambda run: (seed_of(runs, run) is None, seed_of(runs, run) or 0))
        flat = flats[same[0].name]
        groups.append(
            Group(
                system=system,
                apart=described(flat, differing, everything),
                flat=flat,
                runs=tuple(same),
                seeds=tuple(seed_of(runs, run) for run in same),
            )
        )
    return sorted(groups, key=lambda group: group.apart)
