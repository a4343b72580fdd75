"""Does a figure agree with earlier runs? The prediction interval of a mean over new runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

OK, NEAR, OFF, ONE_RUN = "ok", "near", "off", "one run: no interval"
"""Verdicts of one figure."""

LEVEL = 0.95

_ROUNDING = 1e-6
"""Files keep six digits of a fraction: a figure on the edge of an interval is inside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """``runs`` figures by their mean and standard deviation (n - 1); one run has no deviation."""

    runs: int
    mean: float
    sd: float | None = None


def interval(
    known: Spread, *, seeds: int, questions: int, level: float = LEVEL
) -> tuple[float, float] | None:
    """Where a new mean over ``seeds`` runs lies with probability ``level``.

    m +- t(1 - (1 - level) / 2, n - 1) * s * sqrt(1/n + 1/k), for n known runs of mean m and
    standard deviation s, and k = ``seeds`` new ones (Hahn and Meeker 1991, Statistical Intervals).
    s counts as at least one question, 1 / ``questions``: runs that agree to the digit would
    else have an interval without width.

    Returns:
        lower and upper end, fractions like the mean; None where fewer than two runs are known

    Raises:
        ValueError: seeds or questions below 1.
    """
    if seeds < 1 or questions < 1:
        raise ValueError(f"found seeds={seeds}, questions={questions}; expected 1 or more of each")
    if known.runs < 2 or known.sd is None:
        return None
    from scipy.stats import t

    sd = max(known.sd, 1 / questions)
    quantile = float(t.ppf((1 + level) / 2, known.runs - 1))
    half = quantile * sd * math.sqrt(1 / known.runs + 1 / seeds)
    return known.mean - half, known.mean + half


def verdict(found: float, known: Spread, *, seeds: int, questions: int) -> str:
    """``ok`` inside the 95 % interval, ``near`` inside twice its half-width, else ``off``.

    Where one run is known there is no interval and no such verdict.
    """
    ends = interval(known, seeds=seeds, questions=questions)
    if ends is None:
        return ONE_RUN
    half, distance = (ends[1] - ends[0]) / 2, abs(found - known.mean) - _ROUNDING
    return OK if distance <= half else NEAR if distance <= 2 * half else OFF


def pooled(parts: Sequence[Spread]) -> Spread:
    """The runs of all parts as one sample.

    n = sum n_i; m = sum n_i m_i / n; (n - 1) s^2 = sum (n_i - 1) s_i^2 + n_i (m_i - m)^2

    Raises:
        ValueError: no part, or a part of several runs without a standard deviation.
    """
    if not parts or any(part.runs > 1 and part.sd is None for part in parts):
        raise ValueError(f"found {parts}; expected runs, with a deviation where there are several")
    runs = sum(part.runs for part in parts)
    mean = sum(part.runs * part.mean for part in parts) / runs
    if runs < 2:
        return Spread(runs=runs, mean=mean)
    squares = sum(
        (part.runs - 1) * (part.sd or 0.0) ** 2 + part.runs * (part.mean - mean) ** 2
        for part in parts
    )
    return Spread(runs=runs, mean=mean, sd=math.sqrt(squares / (runs - 1)))
