"""List-wise losses: arithmetic by hand, their limits, the independent library rax."""

from __future__ import annotations

from math import exp, log, log2

import numpy as np
import pytest
import torch

from ltrgr.losses.approx_ndcg import approx_ndcg
from ltrgr.losses.dcg import normalised_gains, ranks
from ltrgr.losses.lambdaloss import lambdaloss, lambdarank
from ltrgr.losses.listmle import listmle, position_aware_listmle
from ltrgr.losses.listnet import listnet
from ltrgr.losses.neural_ndcg import neural_ndcg

SCORES = torch.tensor([[2.0, 1.0, 4.0, 3.0]], dtype=torch.float64)
GRADES = torch.tensor([[1, 0, 0, 2]])
ALL = torch.ones(1, 4).bool()
# by score: 4 (grade 0), 3 (grade 2), 2 (grade 1), 1 (grade 0)
IDEAL = 3 / log2(2) + 1 / log2(3)


def test_ranks_count_the_mask_only_and_keep_ties_in_order() -> None:
    scores = torch.tensor([[5.0, float("nan"), 7.0, 5.0, float("-inf")]])
    mask = torch.tensor([[True, False, True, True, True]])
    assert ranks(scores=scores, mask=mask).tolist() == [[2, 5, 1, 3, 4]]


def test_gains_sum_to_the_ndcg() -> None:
    gains = normalised_gains(relevance=GRADES, mask=ALL, dtype=torch.float64)
    assert gains.tolist()[0] == pytest.approx([1 / IDEAL, 0, 0, 3 / IDEAL])
    nothing = normalised_gains(relevance=GRADES, mask=~ALL, dtype=torch.float64)
    assert nothing.tolist() == [[0.0] * 4]


def test_listnet_by_hand() -> None:
    labels = [exp(1 / 0.5), 1, 1, exp(2 / 0.5)]
    logits = [exp(s / 2) for s in (2, 1, 4, 3)]
    expected = -sum(
        y / sum(labels) * log(x / sum(logits)) for y, x in zip(labels, logits, strict=True)
    )
    value = listnet(SCORES, GRADES, ALL, temperature=2.0, label_temperature=0.5)
    assert value.item() == pytest.approx(expected)


def test_listmle_by_hand() -> None:
    # by grade, ties in list order: scores 3, 2, 1, 4
    surprise = (
        log(exp(3) + exp(2) + exp(1) + exp(4)) - 3,
        log(exp(2) + exp(1) + exp(4)) - 2,
        log(exp(1) + exp(4)) - 1,
        0.0,
    )
    assert listmle(SCORES, GRADES, ALL).item() == pytest.approx(sum(surprise) / 4)
    aware = position_aware_listmle(SCORES, GRADES, ALL)
    assert aware.item() == pytest.approx(
        (7 * surprise[0] + 3 * surprise[1] + 1 * surprise[2]) / (7 + 3 + 1)
    )


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


def sigmoid(x: float) -> float:
    return 1 / (1 + exp(-x))


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


@pytest.mark.parametrize(
    ("loss", "setting"),
    [
        (listnet, "temperature"),
        (listnet, "label_temperature"),
        (listmle, "temperature"),
        (position_aware_listmle, "temperature"),
        (lambdarank, "sigma"),
        (lambdaloss, "sigma"),
        (approx_ndcg, "temperature"),
        (neural_ndcg, "temperature"),
        (neural_ndcg, "iterations"),
    ],
)
def test_settings_must_be_above_zero(loss, setting: str) -> None:
    with pytest.raises(ValueError, match=rf"{loss.__name__}: found {setting}=0.*loss\.{setting}="):
        loss(SCORES, GRADES, ALL, **{setting: 0})


def test_mu_may_be_zero_but_not_less() -> None:
    with pytest.raises(ValueError, match=r"mu=-1.*loss\.mu"):
        lambdaloss(SCORES, GRADES, ALL, mu=-1)


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One question of 12 passages with grades 0 to 3, both kinds under the mask."""
    rng = np.random.default_rng(seed)
    grades = np.where(rng.random(12) < 0.4, rng.integers(1, 4, 12), 0).astype(np.float32)
    mask = rng.random(12) < 0.8
    grades[:2], mask[:2] = (2, 0), True
    return rng.normal(size=12).astype(np.float32) * 3, grades, mask


def ours(loss, draw, **settings: float) -> float:
    return loss(*(torch.from_numpy(x).unsqueeze(0) for x in draw), **settings).item()


@pytest.mark.parametrize("seed", range(5))
def test_likelihoods_against_rax(seed: int) -> None:
    rax = pytest.importorskip("rax", reason="make test-parity")
    scores, grades, mask = draw = drawn(seed)
    first = np.where(mask, np.exp(grades / 0.7), 0)
    softmax = rax.softmax_loss(scores / 0.8, first / first.sum(), where=mask)
    net = ours(listnet, draw, temperature=0.8, label_temperature=0.7)
    assert net == pytest.approx(float(softmax), rel=1e-5)
    mle = rax.listmle_loss(scores / 0.8, grades, where=mask)
    assert ours(listmle, draw, temperature=0.8) == pytest.approx(float(mle) / mask.sum(), rel=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_ndcg_losses_against_rax(seed: int) -> None:
    rax = pytest.importorskip("rax", reason="make test-parity")
    scores, grades, mask = draw = drawn(seed)

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
    smooth = rax.approx_t12n(rax.ndcg_metric)(scores / 0.8, grades, where=mask)
    assert ours(approx_ndcg, draw, temperature=0.8) == pytest.approx(1 + float(smooth), rel=1e-5)
