"""The paired randomisation test by counting, and its random form against the exact one."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from ltrgr.evaluation.significance import paired_randomisation, per_question, significant


def test_counted_by_hand() -> None:
    # differences 3, 1: sums 4, 2, -2, -4; two of four are as far out as 4
    assert paired_randomisation([3.0, 1.0], [0.0, 0.0]) == 2 / 4
    # differences 3, -1: the observed sum is 2, and all four are as far out
    assert paired_randomisation([3.0, 0.0], [0.0, 1.0]) == 1.0
    # equal questions say nothing: 5 wins of 5 is 2 of 32 patterns
    assert paired_randomisation([1.0] * 5 + [0.5] * 99, [0.0] * 5 + [0.5] * 99) == 2 / 32


def test_ties_survive_rounding() -> None:
    # 0.1 + 0.2 - 0.3 is not 0 in floating point; every sum that should equal the observed counts
    # sums: .6 .4 .2 .0 and their negatives; observed 0 -> all 8
    assert paired_randomisation([0.1, 0.2, 0.0], [0.0, 0.0, 0.3]) == 1.0


def test_no_difference_and_two_sides() -> None:
    a, b = np.array([1.0, 0.0, 1.0, 1.0]), np.array([0.0, 0.0, 0.0, 0.5])
    assert paired_randomisation(a, a) == 1.0
    assert paired_randomisation(a, b) == paired_randomisation(b, a) == 2 / 8
    assert paired_randomisation([], []) == 1.0


def sign_test(wins: int, losses: int) -> float:
    """P(|heads - tails| >= |wins - losses|) of a fair coin: the exact p of 0/1 differences."""
    n, gap = wins + losses, abs(wins - losses)
    return sum(comb(n, k) for k in range(n + 1) if abs(2 * k - n) >= gap) / 2**n


@pytest.mark.parametrize(("wins", "losses"), [(60, 40), (30, 12), (8, 6)])
def test_random_signs_against_the_exact_sign_test(wins, losses) -> None:
    a = np.array([1.0] * wins + [0.0] * losses + [1.0] * 400)
    b = np.array([0.0] * wins + [1.0] * losses + [1.0] * 400)
    exact = sign_test(wins, losses)
    # 5 standard errors of 10,000 draws
    assert paired_randomisation(a, b) == pytest.approx(exact, abs=5 * (exact / 10_000) ** 0.5)


def test_random_form_repeats_with_its_seed_and_never_says_zero() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random(200), rng.random(200)
    assert paired_randomisation(a, b, seed=1) == paired_randomisation(a, b, seed=1)
    assert paired_randomisation(a, b, seed=1) != paired_randomisation(a, b, seed=2)
    assert paired_randomisation(a + 10, b, samples=2500) == 1 / 2501


def test_wrong_input() -> None:
    with pytest.raises(ValueError, match=r"shapes \(2,\) and \(1,\)"):
        paired_randomisation([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="not finite"):
        paired_randomisation([float("nan")], [1.0])
    with pytest.raises(ValueError, match="samples=0"):
        paired_randomisation([1.0], [0.0], samples=0)


def test_seeds_are_averaged_question_by_question() -> None:
    a = [[1.0, 0.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 0.0, 1.0]]
    assert per_question(a).tolist() == [1.0, 0.5, 1.0, 1.0, 0.5, 1.0]
    # all six differences are above 0: 2 of 64 patterns, p = 0.03125
    zero = [[0.0] * 6]
    assert significant(a, zero, level=0.05)
    assert not significant(a, zero, level=0.03)
    # two seeds that disagree on every question are level with one that is right on half of each
    assert not significant([[1.0] * 6, [0.0] * 6], [[0.5] * 6], level=0.99)
