"""Is the difference between two systems more than luck? The paired randomisation test."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

EXACT_UP_TO = 12
"""With at most this many differing questions all 2^n sign patterns are counted."""

_CHUNK = 1000


def paired_randomisation(
    a: ArrayLike, b: ArrayLike, *, samples: int = 10_000, seed: int = 0
) -> float:
    """Two-sided p-value of the mean difference of two systems on the same questions.

    Under the null hypothesis the two values of a question may be swapped: the sign of each
    difference d_i is a fair coin. p = P(|sum of s_i d_i| >= |sum of d_i|) over signs s: counted
    exactly where at most 12 questions differ, else (hits + 1) / (samples + 1) over random signs,
    which never claims p = 0 (Smucker et al. 2007; Phipson and Smyth 2010).

    Args:
        a: [n] values of one system per question.
        b: [n] values of the other, same questions in the same order.
        samples: random sign patterns.
        seed: the same seed gives the same p.

    Raises:
        ValueError: the arrays are not of one shape [n], hold a non-finite value, or samples < 1.

    Example:
        >>> paired_randomisation([1.0, 1.0, 1.0], [0.0, 0.0, 0.0])  # 2 of 8 sign patterns
        0.25
    """
    difference = _differences(a, b)
    if samples < 1:
        raise ValueError(f"found samples={samples}, expected at least 1")
    observed = abs(difference.sum())
    # Sums in another order differ in the last bits; a tie must still count as a tie.
    bar = observed - 1e-9 * np.abs(difference).sum()
    if len(difference) <= EXACT_UP_TO:
        sums = _signed_sums(_all_patterns(len(difference)), difference)
        return float((np.abs(sums) >= bar).mean())
    rng = np.random.default_rng(seed)
    hits = sum(
        int((np.abs(_random_sums(min(_CHUNK, samples - done), difference, rng)) >= bar).sum())
        for done in range(0, samples, _CHUNK)
    )
    return (hits + 1) / (samples + 1)


def per_question(runs: Sequence[ArrayLike]) -> NDArray[np.float64]:
    """[n] the values of one system, each question's averaged over the runs (seeds).

    Args:
        runs: [n] values of each run, same questions in the same order.
    """
    return np.asarray(np.mean([np.asarray(run, dtype=np.float64) for run in runs], axis=0))


def significant(
    a: Sequence[ArrayLike], b: Sequence[ArrayLike], *, level: float, samples: int = 10_000
) -> bool:
    """Whether two systems of one or more runs differ, p < level: the test of tables and reports.

    The means over the runs are compared, question by question: what counts as chance is the
    choice of the questions, not that of the seeds.
    """
    return paired_randomisation(per_question(a), per_question(b), samples=samples) < level


def _differences(a: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
    """The differences that are not zero: a sign in front of zero changes nothing."""
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape:
        raise ValueError(
            f"found values of shapes {first.shape} and {second.shape}, expected two arrays [n] "
            "over the same questions; evaluate both systems on the same split"
        )
    difference = first - second
    if not np.isfinite(difference).all():
        raise ValueError("found a value that is not finite, expected one number per question")
    return difference[difference != 0]


def _all_patterns(n: int) -> NDArray[np.bool_]:
    """[2^n, n] every choice of flips."""
    return (np.arange(2**n)[:, None] >> np.arange(n) & 1).astype(bool)


def _random_sums(
    count: int, difference: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    bits = np.frombuffer(rng.bytes(count * -(-len(difference) // 8)), dtype=np.uint8)
    flips = np.unpackbits(bits.reshape(count, -1), axis=1, count=len(difference))
    return _signed_sums(flips.astype(bool), difference)


def _signed_sums(flips: NDArray[np.bool_], difference: NDArray[np.float64]) -> NDArray[np.float64]:
    """[m, n] flips -> [m] sums of the differences with the flipped signs."""
    return np.asarray(difference.sum() - 2.0 * (flips.astype(np.float64) @ difference))
