"""Smooth nDCG: arithmetic by hand, a plain Sinkhorn, the limits, the library rax."""

from __future__ import annotations

from math import exp, log2

import numpy as np
import pytest
import torch
from graded_lists import ALL, GRADES, IDEAL, SCORES, drawn_grades, ours, sigmoid

from ltrgr.losses import approx_ndcg, neural_ndcg


def test_approx_ndcg_by_hand() -> None:
    first = 1 + sigmoid((1 - 2) / 2) + sigmoid((4 - 2) / 2) + sigmoid((3 - 2) / 2)
    last = 1 + sigmoid((2 - 3) / 2) + sigmoid((1 - 3) / 2) + sigmoid((4 - 3) / 2)
    expected = 1 - (1 / log2(1 + first) + 3 / log2(1 + last)) / IDEAL
    assert approx_ndcg(SCORES, GRADES, ALL, temperature=2.0).item() == pytest.approx(expected)


def test_neural_ndcg_of_two_is_a_sigmoid() -> None:
    # S is already doubly stochastic: the better place is shared as sigmoid(difference / t)
    share = sigmoid((1 - 2) / 0.5)
    value = neural_ndcg(SCORES[:, [1, 0]], torch.tensor([[1, 0]]), ALL[:, :2], temperature=0.5)
    assert value.item() == pytest.approx(1 - (share + (1 - share) / log2(3)))


def sorted_softly(scores: list[float], temperature: float) -> np.ndarray:
    """NeuralSort and Sinkhorn, entry by entry."""
    n = len(scores)
    matrix = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            spread = sum(abs(scores[j] - s) for s in scores)
            matrix[i, j] = exp(((n - 1 - 2 * i) * scores[j] - spread) / temperature)
    for _ in range(5):
        matrix /= matrix.sum(axis=1, keepdims=True)
        matrix /= matrix.sum(axis=0, keepdims=True)
    return matrix


def test_neural_ndcg_against_plain_sinkhorn_under_a_mask() -> None:
    gained = sorted_softly([2, 1, 4, 3], 1.5) @ np.array([1, 0, 0, 3]) / IDEAL
    expected = 1 - sum(g / log2(2 + i) for i, g in enumerate(gained))
    padded = torch.tensor([[2.0, 99.0, 1.0, 4.0, 99.0, 3.0]], dtype=torch.float64)
    grades = torch.tensor([[1, 3, 0, 0, 0, 2]])
    mask = torch.tensor([[True, False, True, True, False, True]])
    value = neural_ndcg(padded, grades, mask, temperature=1.5, iterations=5)
    assert value.item() == pytest.approx(expected)


@pytest.mark.parametrize("loss", [approx_ndcg, neural_ndcg])
def test_cold_smooth_losses_are_one_minus_ndcg(loss) -> None:
    ndcg = (3 / log2(3) + 1 / log2(4)) / IDEAL  # grade 2 is second, grade 1 third
    assert loss(SCORES, GRADES, ALL, temperature=0.01).item() == pytest.approx(1 - ndcg)


@pytest.mark.parametrize("seed", range(5))
def test_approx_ndcg_against_rax(seed: int) -> None:
    rax = pytest.importorskip("rax", reason="make test-parity")
    scores, grades, mask = draw = drawn_grades(seed)
    smooth = rax.approx_t12n(rax.ndcg_metric)(scores / 0.8, grades, where=mask)
    assert ours(approx_ndcg, draw, temperature=0.8) == pytest.approx(1 + float(smooth), rel=1e-5)
