"""What a system gains over the one that it is built on, run by run with the same seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltrgr.evaluation.significance import paired_randomisation
from ltrgr.pipeline.evaluate_stage import Measured


@dataclass(frozen=True, kw_only=True)
class Gain:
    """One metric of one system over another."""

    by_seed: NDArray[np.float64]
    """[k] difference of the means, one for each seed that both systems have"""
    p: float
    """two-sided paired randomisation test over questions, on the means over these seeds"""

    def __str__(self) -> str:
        spread = f" ± {100 * self.by_seed.std(ddof=1):.1f}" if len(self.by_seed) > 1 else ""
        p = f"p = {self.p:.3f}" if self.p >= 0.001 else "p < 0.001"
        return f"{100 * self.by_seed.mean():+.1f}{spread} ({p})"


def gains(
    runs: Mapping[int, Measured],
    base: Mapping[int, Measured],
    *,
    metrics: Sequence[str],
    samples: int,
) -> dict[str, Gain]:
    """metric -> gain over ``base``, for the metrics that both measured.

    Runs are paired by seed: a stage 2 is compared with the very stage 1 that it was trained from.

    Args:
        runs, base: seed -> run; only seeds that both have count.

    Raises:
        ValueError: no common seed.
    """
    common = sorted(runs.keys() & base.keys())
    if not common:
        raise ValueError(f"found seeds {sorted(runs)} and {sorted(base)}, expected a common one")
    found = {}
    for metric in metrics:
        if metric not in runs[common[0]].values or metric not in base[common[0]].values:
            continue
        values, of_base = (
            np.stack([side[seed].values[metric] for seed in common]) for side in (runs, base)
        )
        found[metric] = Gain(
            by_seed=(values - of_base).mean(axis=1),
            p=paired_randomisation(values.mean(axis=0), of_base.mean(axis=0), samples=samples),
        )
    return found
