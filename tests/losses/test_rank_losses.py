"""What holds for every rank loss: masks, questions without a contrast, long lists, gradients."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from graded_lists import lists, whole
from torch.autograd import gradcheck

from ltrgr.losses import (
    approx_ndcg,
    distilled_ranknet,
    dpo,
    infonce,
    lambdaloss,
    lambdarank,
    listmle,
    listnet,
    margin_loss,
    margin_mse,
    neural_ndcg,
    position_aware_listmle,
    ranknet,
    relative_margin_loss,
)


def against(loss, keyword: str):
    """The loss beside somebody else's scores: 0, 0.3, 0.6, ... down the list."""

    def bound(scores, relevance, mask):
        others = 0.3 * torch.arange(scores.shape[1], dtype=scores.dtype).expand_as(scores)
        return loss(scores, relevance, mask, **{keyword: others.masked_fill(~mask, torch.nan)})

    return bound


UNBOUNDED = {
    "margin_loss": partial(margin_loss, margin=1.5),
    "relative_margin_loss": partial(relative_margin_loss, share=0.6),
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


@every_unbounded
def test_scores_in_the_hundreds_stay_finite(loss) -> None:
    scores = torch.tensor([[-3e4, 3e4, 900.0]], requires_grad=True)
    value = loss(scores, torch.tensor([[1, 0, 0]]), whole(scores))
    value.backward()
    assert value.item() > 1e4
    assert torch.isfinite(scores.grad).all()
    assert scores.grad[0, 0] < 0 < scores.grad[0, 1]


@every_bounded
def test_scores_in_the_hundreds_saturate_the_smooth_ndcgs(loss) -> None:
    scores = torch.tensor([[-3e4, 3e4, 900.0]], requires_grad=True)
    value = loss(scores, torch.tensor([[1, 0, 0]]), whole(scores))
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
    alone = loss(scores, relevance, whole(scores))
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
    value = loss(scores, torch.tensor([[1, 1], [0, 0]]), whole(scores))
    assert value.item() == 0.0
    value.backward()
    assert scores.grad.tolist() == [[0.0, 0.0], [0.0, 0.0]]


@pytest.mark.parametrize("name", sorted(LOSSES.keys() - {"relative_margin_loss"}))
def test_gradients(name: str) -> None:
    """All but the relative margin, in which the derivative of the margin is left out on purpose."""
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(3, 6, generator=generator, dtype=torch.float64).requires_grad_()
    relevance = torch.tensor([[1, 0, 0, 1, 0, 0], [0, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]])
    mask = torch.ones(3, 6).bool()
    mask[1, 4:] = False
    assert gradcheck(lambda s: LOSSES[name](s, relevance, mask), scores)


SETTINGS = [
    (listnet, "temperature"),
    (listnet, "label_temperature"),
    (infonce, "temperature"),
    (listmle, "temperature"),
    (position_aware_listmle, "temperature"),
    (lambdarank, "sigma"),
    (lambdaloss, "sigma"),
    (ranknet, "sigma"),
    (partial(distilled_ranknet, teacher=torch.zeros(1, 2)), "sigma"),
    (partial(distilled_ranknet, teacher=torch.zeros(1, 2)), "teacher_sigma"),
    (partial(dpo, reference=torch.zeros(1, 2)), "beta"),
    (approx_ndcg, "temperature"),
    (neural_ndcg, "temperature"),
    (neural_ndcg, "iterations"),
]


@pytest.mark.parametrize("value", [0, -1, float("nan")])
@pytest.mark.parametrize(("loss", "setting"), SETTINGS)
def test_settings_must_be_above_zero(loss, setting: str, value: float) -> None:
    name = getattr(loss, "func", loss).__name__
    scores = torch.zeros(1, 2)
    with pytest.raises(ValueError, match=rf"{name}: found {setting}={value}.*loss\.{setting}="):
        loss(scores, torch.tensor([[1, 0]]), whole(scores), **{setting: value})
