"""InfoNCE and ListNet: arithmetic by hand, the independent library rax."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest
import torch
from graded_lists import ALL, GRADES, SCORES, drawn_grades, drawn_labels, lists, ours, whole

from ltrgr.losses import infonce, listnet


def test_infonce_by_hand_positives_do_not_compete() -> None:
    scores, relevance = lists([2.0, 1.0, 4.0, 3.0]), torch.tensor([[1, 0, 0, 1]])
    rivals = exp(1 / 2) + exp(4 / 2)
    expected = -(log(exp(2 / 2) / (exp(2 / 2) + rivals)) + log(exp(3 / 2) / (exp(3 / 2) + rivals)))
    value = infonce(scores, relevance, whole(scores), temperature=2.0)
    assert value.item() == pytest.approx(expected / 2)


def test_listnet_by_hand() -> None:
    labels = [exp(1 / 0.5), 1, 1, exp(2 / 0.5)]
    logits = [exp(s / 2) for s in (2, 1, 4, 3)]
    expected = -sum(
        y / sum(labels) * log(x / sum(logits)) for y, x in zip(labels, logits, strict=True)
    )
    value = listnet(SCORES, GRADES, ALL, temperature=2.0, label_temperature=0.5)
    assert value.item() == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(5))
def test_infonce_against_rax(seed: int) -> None:
    rax = pytest.importorskip("rax", reason="make test-parity")
    scores, relevance, mask = draw = drawn_labels(seed)
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
    value = ours(infonce, draw, temperature=0.8)
    assert value == pytest.approx(float(np.mean(softmax)), rel=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_listnet_against_rax(seed: int) -> None:
    rax = pytest.importorskip("rax", reason="make test-parity")
    scores, grades, mask = draw = drawn_grades(seed)
    first = np.where(mask, np.exp(grades / 0.7), 0)
    softmax = rax.softmax_loss(scores / 0.8, first / first.sum(), where=mask)
    value = ours(listnet, draw, temperature=0.8, label_temperature=0.7)
    assert value == pytest.approx(float(softmax), rel=1e-5)
