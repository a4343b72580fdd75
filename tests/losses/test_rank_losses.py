"""Rank losses: arithmetic by hand, the independent library rax, gradients in float64."""

from __future__ import annotations

from functools import partial
from math import exp, log

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from ltrgr.losses.approx_ndcg import approx_ndcg
from ltrgr.losses.distillation import distilled_ranknet, margin_mse
from ltrgr.losses.dpo import dpo
from ltrgr.losses.infonce import infonce
from ltrgr.losses.lambdaloss import lambdaloss, lambdarank
from ltrgr.losses.listmle import listmle, position_aware_listmle
from ltrgr.losses.listnet import listnet
from ltrgr.losses.margin import margin, relative_margin
from ltrgr.losses.neural_ndcg import neural_ndcg
from ltrgr.losses.ranknet import ranknet


def against(loss, keyword: str):
    """The loss beside somebody else's scores: 0, 0.3, 0.6, ... down the list."""

    def bound(scores, relevance, mask):
        others = 0.3 * torch.arange(scores.shape[1], dtype=scores.dtype).expand_as(scores)
        return loss(scores, relevance, mask, **{keyword: others.masked_fill(~mask, torch.nan)})

    return bound


UNBOUNDED = {
    "margin": partial(margin, margin=1.5),
    "ranknet": partial(ranknet, sigma=0.7),
    "infonce": partial(infonce, temperature=0.8),
    "listnet": partial(listnet, temperature=0.8, label_temperature=0.5),
    "listmle": partial(listmle, temperature=0.8),
    "position_aware_listmle": partial(position_aware_listmle, temperature=0.8),
    "lambdarank": partial(lambdarank, sigma=0.7),
    "lambdaloss": partial(lambdaloss, sigma=0.7, mu=2.0),
    "margin_mse": against(margin_mse, "teacher"),
    "distilled_ranknet": against(partial(distilled_ranknet, sigma=0.9), "teacher"),
    "dpo": against(partial(dpo, beta=0.7), "reference"),
}
BOUNDED = {
    "approx_ndcg": partial(approx_ndcg, temperature=0.8),
    "neural_ndcg": partial(neural_ndcg, temperature=0.8),
}
LOSSES = UNBOUNDED | BOUNDED
every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES.keys())
every_unbounded = pytest.mark.parametrize("loss", UNBOUNDED.values(), ids=UNBOUNDED.keys())
every_bounded = pytest.mark.parametrize("loss", BOUNDED.values(), ids=BOUNDED.keys())


def lists(*scores: list[float]) -> torch.Tensor:
    return torch.tensor(scores, dtype=torch.float64)


def everything(scores: torch.Tensor) -> torch.Tensor:
    return torch.ones_like(scores, dtype=torch.bool)


def test_margin_by_hand() -> None:
    scores = lists([3.0, 1.0, 4.0, 2.0], [5.0, 1.0, 0.0, 0.0])
    relevance = torch.tensor([[1, 0, 0, 2], [1, 0, 0, 0]])
    # first: pairs (3,1) (3,4) (2,1) (2,4); second: 5 against 1, 0, 0, all met by 2.5
    first = (max(0, 1 - 3 + 2.5) + (4 - 3 + 2.5) + (1 - 2 + 2.5) + (4 - 2 + 2.5)) / 4
    value = margin(scores, relevance, everything(scores), margin=2.5)
    assert value.item() == pytest.approx((first + 0.0) / 2)


def test_ranknet_by_hand() -> None:
    scores, relevance = lists([2.0, 1.0, 4.0]), torch.tensor([[1, 0, 0]])
    expected = (log(1 + exp(0.5 * (1 - 2))) + log(1 + exp(0.5 * (4 - 2)))) / 2
    assert ranknet(scores, relevance, everything(scores), sigma=0.5).item() == pytest.approx(
        expected
    )


def test_infonce_by_hand_positives_do_not_compete() -> None:
    scores, relevance = lists([2.0, 1.0, 4.0, 3.0]), torch.tensor([[1, 0, 0, 1]])
    rivals = exp(1 / 2) + exp(4 / 2)
    expected = -(log(exp(2 / 2) / (exp(2 / 2) + rivals)) + log(exp(3 / 2) / (exp(3 / 2) + rivals)))
    value = infonce(scores, relevance, everything(scores), temperature=2.0)
    assert value.item() == pytest.approx(expected / 2)


def test_infonce_temperature_must_be_positive() -> None:
    scores = lists([1.0, 2.0])
    with pytest.raises(ValueError, match=r"temperature=0\.0.*loss\.temperature"):
        infonce(scores, torch.tensor([[1, 0]]), everything(scores), temperature=0.0)


@every_unbounded
def test_scores_in_the_hundreds_stay_finite(loss) -> None:
    scores = torch.tensor([[-3e4, 3e4, 900.0]], requires_grad=True)
    value = loss(scores, torch.tensor([[1, 0, 0]]), everything(scores))
    value.backward()
    assert value.item() > 1e4
    assert torch.isfinite(scores.grad).all()
    assert scores.grad[0, 0] < 0 < scores.grad[0, 1]


@every_bounded
def test_scores_in_the_hundreds_saturate_the_smooth_ndcgs(loss) -> None:
    scores = torch.tensor([[-3e4, 3e4, 900.0]], requires_grad=True)
    value = loss(scores, torch.tensor([[1, 0, 0]]), everything(scores))
    value.backward()
    assert value.item() == pytest.approx(1 - 1 / 2)  # the positive is third: 1 / log2 4
    assert scores.grad.tolist() == [[0.0, 0.0, 0.0]]


@every_loss
def test_long_lists_in_float32(loss) -> None:
    generator = torch.Generator().manual_seed(0)
    scores = 100 * torch.randn(2, 200, generator=generator, dtype=torch.float64)
    relevance = torch.zeros(2, 200).bool()
    relevance[:, ::60] = True
    mask = torch.ones(2, 200).bool()
    mask[1, 150:] = False
    single = scores.float().requires_grad_()
    value = loss(single, relevance, mask)
    value.backward()
    assert value.item() == pytest.approx(loss(scores, relevance, mask).item(), rel=1e-4)
    assert torch.isfinite(single.grad).all()


@every_loss
def test_masked_passages_change_nothing(loss) -> None:
    scores, relevance = lists([1.0, 2.0, 0.5]), torch.tensor([[1, 0, 0]])
    alone = loss(scores, relevance, everything(scores))
    padded = lists([1.0, 2.0, 0.5, float("inf"), float("nan")]).requires_grad_()
    mask = torch.tensor([[True, True, True, False, False]])
    value = loss(padded, torch.tensor([[1, 0, 0, 0, 1]]), mask)
    value.backward()
    assert value.item() == pytest.approx(alone.item())
    assert padded.grad[0, 3:].tolist() == [0.0, 0.0]
    assert padded.grad[0, :3].abs().min() > 0


@every_loss
def test_questions_that_cannot_teach_are_left_out_of_the_mean(loss) -> None:
    scores = lists([1.0, 2.0], [7.0, 9.0], [7.0, 9.0], [7.0, 9.0])
    relevance = torch.tensor([[1, 0], [0, 0], [1, 1], [1, 0]])
    mask = torch.tensor([[True, True], [True, True], [True, True], [False, True]])
    value = loss(scores, relevance, mask)
    assert value.item() == loss(scores[:1], relevance[:1], mask[:1]).item() != 0


@every_loss
def test_nothing_to_teach_is_zero_and_connected(loss) -> None:
    scores = lists([1.0, 2.0], [3.0, 4.0]).requires_grad_()
    value = loss(scores, torch.tensor([[1, 1], [0, 0]]), everything(scores))
    assert value.item() == 0.0
    value.backward()
    assert scores.grad.tolist() == [[0.0, 0.0], [0.0, 0.0]]


@every_loss
def test_gradients(loss) -> None:
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(3, 6, generator=generator, dtype=torch.float64).requires_grad_()
    relevance = torch.tensor([[1, 0, 0, 1, 0, 0], [0, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]])
    mask = torch.ones(3, 6).bool()
    mask[1, 4:] = False
    assert gradcheck(lambda s: loss(s, relevance, mask), scores)


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One question of 12 passages: scores, relevance and mask with both kinds under the mask."""
    rng = np.random.default_rng(seed)
    relevance = (rng.random(12) < 0.3).astype(np.float32)
    relevance[:2] = 1, 0
    mask = rng.random(12) < 0.8
    mask[:2] = True
    return rng.normal(size=12).astype(np.float32) * 3, relevance, mask


def ours(loss, scores: np.ndarray, relevance: np.ndarray, mask: np.ndarray) -> float:
    tensors = [torch.from_numpy(x).unsqueeze(0) for x in (scores, relevance, mask)]
    return loss(*tensors).item()


@pytest.mark.parametrize("seed", range(5))
def test_against_rax(seed: int) -> None:
    rax = pytest.importorskip("rax", reason="make test-parity")
    scores, relevance, mask = drawn(seed)
    hinge = float(rax.pairwise_hinge_loss(scores / 1.5, relevance, where=mask))
    logistic = float(rax.pairwise_logistic_loss(scores * 0.7, relevance, where=mask))
    assert ours(LOSSES["margin"], scores, relevance, mask) == pytest.approx(1.5 * hinge, rel=1e-5)
    assert ours(LOSSES["ranknet"], scores, relevance, mask) == pytest.approx(logistic, rel=1e-5)

    # rax lets positives compete; so it sees one positive at a time
    positives = np.flatnonzero((relevance > 0) & mask)
    softmax = [
        rax.softmax_loss(
            scores / 0.8,
            (np.arange(12) == p).astype(np.float32),
            where=mask & ((relevance == 0) | (np.arange(12) == p)),
        )
        for p in positives
    ]
    assert ours(LOSSES["infonce"], scores, relevance, mask) == pytest.approx(
        float(np.mean(softmax)), rel=1e-5
    )


def test_a_margin_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match=r"margin=-0\.5, expected 0 or above"):
        margin(torch.zeros(1, 2), torch.tensor([[1, 0]]), torch.ones(1, 2).bool(), margin=-0.5)


def test_relative_margin_by_hand() -> None:
    """Positives 4 and 1, negatives 3 and 0.5; each wants 0.5 of its own score as distance."""
    scores = torch.tensor([[4.0, 3.0, 1.0, 0.5]], dtype=torch.float64, requires_grad=True)
    relevance = torch.tensor([[1, 0, 1, 0]])
    expected = ((3 - 4 + 2) + 0 + (3 - 1 + 0.5) + (0.5 - 1 + 0.5)) / 4
    loss = relative_margin(scores, relevance, torch.ones(1, 4).bool(), share=0.5)
    assert loss.item() == pytest.approx(expected)
    loss.backward()  # the wanted distance is a constant: each pair above 0 pulls by 1 / 4
    assert scores.grad.tolist()[0] == pytest.approx([-0.25, 0.5, -0.25, 0.0])


def test_relative_margin_grows_with_the_scores() -> None:
    scores = torch.tensor([[2.0, 1.5, -3.0], [0.3, 0.9, 0.1]], dtype=torch.float64)
    relevance, mask = torch.tensor([[1, 0, 0], [1, 0, 1]]), torch.ones(2, 3).bool()
    one = relative_margin(scores, relevance, mask, share=0.3)
    assert relative_margin(7 * scores, relevance, mask, share=0.3).item() == pytest.approx(
        7 * one.item()
    )
    with pytest.raises(ValueError, match=r"share=1\.5"):
        relative_margin(scores, relevance, mask, share=1.5)
