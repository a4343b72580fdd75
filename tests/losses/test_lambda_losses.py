"""LambdaRank and LambdaLoss: arithmetic by hand, the independent library rax."""

from __future__ import annotations

from math import exp, log, log2

import pytest
import torch
from graded_lists import ALL, GRADES, IDEAL, SCORES, drawn_grades, ours

from ltrgr.losses import lambdaloss, lambdarank


def lambda_pairs() -> list[tuple[float, int, int, float]]:
    """(gain difference over the ideal, rank of the better, of the worse, s_better - s_worse)"""
    return [
        (2 / IDEAL, 2, 3, 1.0),  # grade 2 over grade 1
        (3 / IDEAL, 2, 1, -1.0),  # grade 2 over the negatives
        (3 / IDEAL, 2, 4, 2.0),
        (1 / IDEAL, 3, 1, -2.0),  # grade 1 over the negatives
        (1 / IDEAL, 3, 4, 1.0),
    ]


def test_lambdarank_by_hand() -> None:
    expected = sum(
        gain * abs(1 / log2(1 + i) - 1 / log2(1 + j)) * log(1 + exp(-0.5 * apart))
        for gain, i, j, apart in lambda_pairs()
    )
    assert lambdarank(SCORES, GRADES, ALL, sigma=0.5).item() == pytest.approx(expected)


def test_lambdaloss_by_hand() -> None:
    expected = 0.0
    for gain, i, j, apart in lambda_pairs():
        rho = abs(1 / log2(1 + i) - 1 / log2(1 + j))
        delta = 1 / log2(1 + abs(i - j)) - 1 / log2(2 + abs(i - j))
        expected += gain * (rho + 3 * delta) * log(1 + exp(-0.5 * apart))
    value = lambdaloss(SCORES, GRADES, ALL, sigma=0.5, mu=3.0)
    assert value.item() == pytest.approx(expected)
    assert torch.equal(lambdaloss(SCORES, GRADES, ALL, mu=0.0), lambdarank(SCORES, GRADES, ALL))


def test_mu_may_be_zero_but_not_less() -> None:
    with pytest.raises(ValueError, match=r"mu=-1.*loss\.mu"):
        lambdaloss(SCORES, GRADES, ALL, mu=-1)


@pytest.mark.parametrize("seed", range(5))
def test_lambda_losses_against_rax(seed: int) -> None:
    rax = pytest.importorskip("rax", reason="make test-parity")
    scores, grades, mask = draw = drawn_grades(seed)

    def weighted(weight) -> float:
        """rax multiplies its weights by the list's length."""
        total = rax.pairwise_logistic_loss(
            scores * 0.7,
            grades,
            where=mask,
            lambdaweight_fn=lambda *given, **named: weight(*given, normalize=True, **named),
            reduce_fn=lambda losses, where: (losses * where).sum(),
        )
        return float(total) / len(scores)

    swap, distance = weighted(rax.dcg_lambdaweight), weighted(rax.dcg2_lambdaweight)
    assert ours(lambdarank, draw, sigma=0.7) == pytest.approx(swap, rel=1e-5)
    both = ours(lambdaloss, draw, sigma=0.7, mu=2.0)
    assert both == pytest.approx(swap + 2 * distance, rel=1e-5)
