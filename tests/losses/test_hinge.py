"""Margin losses: arithmetic by hand, the independent library rax."""

from __future__ import annotations

import pytest
import torch
from graded_lists import drawn_labels, lists, ours, whole

from ltrgr.losses import margin_loss, relative_margin_loss


def test_margin_by_hand() -> None:
    scores = lists([3.0, 1.0, 4.0, 2.0], [5.0, 1.0, 0.0, 0.0])
    relevance = torch.tensor([[1, 0, 0, 2], [1, 0, 0, 0]])
    # first: pairs (3,1) (3,4) (2,1) (2,4); second: 5 against 1, 0, 0, all met by 2.5
    first = (max(0, 1 - 3 + 2.5) + (4 - 3 + 2.5) + (1 - 2 + 2.5) + (4 - 2 + 2.5)) / 4
    value = margin_loss(scores, relevance, whole(scores), margin=2.5)
    assert value.item() == pytest.approx((first + 0.0) / 2)


def test_a_margin_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match=r"margin=-0\.5, expected 0 or above"):
        margin_loss(torch.zeros(1, 2), torch.tensor([[1, 0]]), torch.ones(1, 2).bool(), margin=-0.5)


def test_relative_margin_by_hand() -> None:
    """Positives 4 and 1, negatives 3 and 0.5; each wants 0.5 of its own score as distance."""
    scores = torch.tensor([[4.0, 3.0, 1.0, 0.5]], dtype=torch.float64, requires_grad=True)
    relevance = torch.tensor([[1, 0, 1, 0]])
    expected = ((3 - 4 + 2) + 0 + (3 - 1 + 0.5) + (0.5 - 1 + 0.5)) / 4
    loss = relative_margin_loss(scores, relevance, torch.ones(1, 4).bool(), share=0.5)
    assert loss.item() == pytest.approx(expected)
    loss.backward()  # the wanted distance is a constant: each pair above 0 pulls by 1 / 4
    assert scores.grad.tolist()[0] == pytest.approx([-0.25, 0.5, -0.25, 0.0])


def test_relative_margin_grows_with_the_scores() -> None:
    scores = torch.tensor([[2.0, 1.5, -3.0], [0.3, 0.9, 0.1]], dtype=torch.float64)
    relevance, mask = torch.tensor([[1, 0, 0], [1, 0, 1]]), torch.ones(2, 3).bool()
    one = relative_margin_loss(scores, relevance, mask, share=0.3)
    assert relative_margin_loss(7 * scores, relevance, mask, share=0.3).item() == pytest.approx(
        7 * one.item()
    )
    with pytest.raises(ValueError, match=r"share=1\.5"):
        relative_margin_loss(scores, relevance, mask, share=1.5)


@pytest.mark.parametrize("seed", range(5))
def test_margin_loss_against_rax(seed: int) -> None:
    rax = pytest.importorskip("rax", reason="make test-parity")
    scores, relevance, mask = draw = drawn_labels(seed)
    hinge = float(rax.pairwise_hinge_loss(scores / 1.5, relevance, where=mask))
    assert ours(margin_loss, draw, margin=1.5) == pytest.approx(1.5 * hinge, rel=1e-5)
