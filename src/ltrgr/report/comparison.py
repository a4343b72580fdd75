"""Evaluations of the same questions, side by side: what ``ltrgr compare`` shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ltrgr.errors import LtrgrError
from ltrgr.evaluation.significance import paired_randomisation
from ltrgr.json_file import read_json_object
from ltrgr.report.console import plain

CURE = "give folders of runs/evaluate/, which `ltrgr rank` and `ltrgr evaluate` print"


class ComparisonError(LtrgrError):
    """Runs that are no evaluations, or not of the same questions."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """One system's figures for each of Q questions."""

    system: str
    folder: str
    """name of its folder"""
    split: str
    corpus: str
    """checksum"""
    query_ids: tuple[str, ...]
    texts: dict[str, str]
    """query id -> question; empty in evaluations of an older version"""
    values: dict[str, NDArray[np.float64]]
    """metric -> [Q]"""

    @property
    def name(self) -> str:
        """System and folder."""
        return f"{self.system} {self.folder}"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How another system stands against the first, by one metric."""

    metric: str
    mean: float
    other: float
    p: float
    """two-sided paired randomisation test over the questions"""
    wins: int
    ties: int
    losses: int


def read_evaluation(folder: Path) -> Evaluation:
    """Read the folder of a finished evaluation.

    Raises:
        ComparisonError: it is no such folder.
        LtrgrError: a file of it is missing or damaged.
    """
    if not (folder / "per_question.json").is_file():
        raise ComparisonError(f"{folder} is no evaluation (it has no per_question.json); {CURE}")
    cure = f"remove {folder} and evaluate again"
    stored = read_json_object(folder / "per_question.json", cure=cure)
    inputs = read_json_object(folder / "DONE.json", cure=cure).get("inputs", {})
    try:
        ids = tuple(stored["query_ids"])
        values = {name: np.asarray(v, np.float64) for name, v in stored["values"].items()}
        texts = dict(zip(ids, stored.get("texts", ()), strict=False))
        whole = all(v.shape == (len(ids),) for v in values.values())
    except (KeyError, TypeError, ValueError, AttributeError):
        whole = False
    if not whole:
        raise ComparisonError(f"{folder / 'per_question.json'} is damaged; {cure}")
    settings = inputs.get("settings", {})
    return Evaluation(
        folder=folder.resolve().name,
        system=str(inputs.get("system", "?")),
        split=str(settings.get("split", "?")),
        corpus=str(inputs.get("corpus", "?")),
        query_ids=ids,
        texts=texts,
        values=values,
    )


def expect_same_questions(runs: Sequence[Evaluation]) -> None:
    """Refuse runs that cannot be compared question by question.

    Raises:
        ComparisonError: says what differs.
    """
    if len(runs) < 2:
        raise ComparisonError(f"found {len(runs)} run(s), expected two or more; {CURE}")
    first = runs[0]
    for run in runs[1:]:
        if run.corpus != first.corpus:
            raise ComparisonError(f"{first.name} and {run.name} are of different corpora")
        if run.split != first.split:
            raise ComparisonError(
                f"{first.name} is of {first.split}, {run.name} of {run.split}: evaluate both on "
                "the same split"
            )
        if run.query_ids != first.query_ids:
            raise ComparisonError(
                f"{first.name} has {len(first.query_ids)} questions, {run.name} has "
                f"{len(run.query_ids)}, and they are not the same: evaluate both with the same "
                "evaluation.questions"
            )


def differences(first: Evaluation, other: Evaluation, *, samples: int) -> list[Difference]:
    """One for each metric that both have."""
    found = []
    for metric in [name for name in first.values if name in other.values]:
        a, b = first.values[metric], other.values[metric]
        found.append(
            Difference(
                metric=metric,
                mean=float(a.mean()),
                other=float(b.mean()),
                p=paired_randomisation(b, a, samples=samples),
                wins=int((b > a).sum()),
                ties=int((b == a).sum()),
                losses=int((b < a).sum()),
            )
        )
    return found


def largest(
    first: Evaluation, other: Evaluation, *, metric: str, n: int
) -> tuple[list[int], list[int]]:
    """The questions (positions) where ``other`` gains most and where it loses most, n of each.

    Raises:
        ComparisonError: one of the runs has no such metric; names those that both have.
    """
    known = [name for name in first.values if name in other.values]
    if metric not in known:
        raise ComparisonError(f"metric={metric}: expected one of {', '.join(known)}")
    change = other.values[metric] - first.values[metric]
    order = np.argsort(-change, kind="stable")
    gains = [int(i) for i in order if change[i] > 0][:n]
    losses = [int(i) for i in order[::-1] if change[i] < 0][:n]
    return gains, losses


def print_comparison(
    runs: Sequence[Evaluation], *, metric: str, n: int, samples: int, console: Console
) -> None:
    """Print every run against the first: its metrics, then the questions that differ most.

    Raises:
        ComparisonError: the runs have no such metric.
    """
    first = runs[0]
    differing = [largest(first, other, metric=metric, n=n) for other in runs[1:]]
    for other, (gains, losses) in zip(runs[1:], differing, strict=True):
        asked = f"{first.split}, {len(first.query_ids)} questions"
        title = f"{other.name} against {first.name}: {asked}"
        console.print(_metrics(first, other, title=title, samples=samples))
        for words, rows in (("gains most", gains), ("loses most", losses)):
            if rows:
                console.print(_questions(first, other, rows, metric=metric, words=words))
    console.print(
        plain(
            "p: two-sided paired randomisation test over the questions. Wins and losses: questions "
            "where the second figure is above, or below, the first.",
            "dim",
        ),
        soft_wrap=True,
    )


def _metrics(first: Evaluation, other: Evaluation, *, title: str, samples: int) -> Table:
    table = _table(title, ["metric", *_columns(first, other), "difference", "p"])
    for name in ("wins", "ties", "losses"):
        table.add_column(name, justify="right")
    for one in differences(first, other, samples=samples):
        figures = [f"{100 * x:.1f}" for x in (one.mean, one.other)]
        change = f"{100 * (one.other - one.mean):+.1f}"
        p = "< .001" if one.p < 0.001 else f"{one.p:.3f}"
        counts = [str(n) for n in (one.wins, one.ties, one.losses)]
        table.add_row(*(plain(cell) for cell in (one.metric, *figures, change, p, *counts)))
    return table


def _questions(
    first: Evaluation, other: Evaluation, rows: Sequence[int], *, metric: str, words: str
) -> Table:
    table = _table(f"{words} ({metric})", ["question", *_columns(first, other)])
    for row in rows:
        identity = first.query_ids[row]
        text = first.texts.get(identity) or other.texts.get(identity) or ""
        figures = [f"{run.values[metric][row]:.3g}" for run in (first, other)]
        table.add_row(plain(f"{identity}  {text}".strip()), *(plain(x) for x in figures))
    return table


def _columns(first: Evaluation, other: Evaluation) -> list[str]:
    """The systems; of two alike, with the begin of their folders' names."""
    if first.system != other.system:
        return [first.system, other.system]
    return [f"{run.system} {run.folder[:6]}" for run in (first, other)]


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=plain(title), box=SIMPLE_HEAD, pad_edge=False)
    table.title_justify = "left"
    for number, name in enumerate(columns):
        justify: Any = "left" if number == 0 else "right"
        table.add_column(plain(name), justify=justify, overflow="fold")
    return table
