"""RankNet and DPO: arithmetic by hand, DPO at its reference, the library rax."""

from __future__ import annotations

from math import exp, log, log1p

import pytest
import torch
from graded_lists import drawn_labels, lists, ours, whole

from ltrgr.losses import dpo, ranknet

STUDENT = lists([2.0, 1.0, 4.0])
OTHER = lists([9.0, 7.0, 8.0])
RELEVANT = torch.tensor([[1, 0, 0]])
ALL = whole(STUDENT)


def test_ranknet_by_hand() -> None:
    scores, relevance = lists([2.0, 1.0, 4.0]), torch.tensor([[1, 0, 0]])
    expected = (log(1 + exp(0.5 * (1 - 2))) + log(1 + exp(0.5 * (4 - 2)))) / 2
    assert ranknet(scores, relevance, whole(scores), sigma=0.5).item() == pytest.approx(expected)


def test_dpo_by_hand() -> None:
    # how much further than the reference's are the student's margins: 1 - 2 and -2 - 1
    expected = (log1p(exp(-0.5 * (1 - 2))) + log1p(exp(-0.5 * (-2 - 1)))) / 2
    value = dpo(STUDENT, RELEVANT, ALL, reference=OTHER, beta=0.5)
    assert value.item() == pytest.approx(expected)


def test_dpo_at_the_reference_pushes_every_pair_alike() -> None:
    scores = STUDENT.clone().requires_grad_()
    dpo(scores, RELEVANT, ALL, reference=STUDENT, beta=0.8).backward()
    assert scores.grad.tolist()[0] == pytest.approx([-0.8 / 2, 0.8 / 4, 0.8 / 4])


@pytest.mark.parametrize("seed", range(5))
def test_ranknet_against_rax(seed: int) -> None:
    rax = pytest.importorskip("rax", reason="make test-parity")
    scores, relevance, mask = draw = drawn_labels(seed)
    logistic = float(rax.pairwise_logistic_loss(scores * 0.7, relevance, where=mask))
    assert ours(ranknet, draw, sigma=0.7) == pytest.approx(logistic, rel=1e-5)
