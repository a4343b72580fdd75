"""Losses that compare with another model's scores get the ones that they name, in their unit."""

from __future__ import annotations

from functools import partial
from math import exp, log, log1p

import pytest
import torch
from graded_lists import sigmoid
from objectives import MASK, RELEVANCE, SCORES, composed

from ltrgr.losses import Against, Objective, Term, all_passages, dpo, margin_mse

MINED = torch.tensor([[500.0, 900.0, 300.0], [1.0, 2.0, 3.0]], dtype=torch.float64)


def parts(objective: Objective, **context: torch.Tensor) -> dict[str, float]:
    chosen = objective.select(SCORES, RELEVANCE, MASK, generator=torch.Generator())
    bound = objective.in_units_of(400.0)
    _, values = bound(SCORES, RELEVANCE, chosen, torch.tensor(0.0), context=context)
    return {name: value.item() for name, value in values.items()}


def test_the_objective_hands_the_named_scores_over_in_the_terms_unit() -> None:
    loss = Against(loss=margin_mse, inputs={"teacher": "mined_score"})
    terms = {
        unit: Term(loss=loss, sampler=all_passages, unit=unit) for unit in ("score", "one_key")
    }
    values = parts(Objective(terms=terms, lambda_generation=0), mined_score=MINED)
    # only the first question has a contrast: margins -200 and 600, the teacher's -400 and 200
    assert values["score"] == pytest.approx((200**2 + 400**2) / 2)
    assert values["one_key"] == pytest.approx(400 * (0.5**2 + 1.0**2) / 2)


def test_scores_that_the_batch_lacks_are_named() -> None:
    loss = Against(loss=partial(dpo, beta=1.0), inputs={"reference": "bm25_score"})
    objective = Objective(
        terms={"pair": Term(loss=loss, sampler=all_passages)}, lambda_generation=0
    )
    with pytest.raises(ValueError, match=r"\['bm25_score'\].*gives \['mined_score'\]"):
        parts(objective, mined_score=MINED)


def test_dpo_config() -> None:
    value = parts(composed("dpo", "loss.beta=2"), mined_score=MINED)["pairwise"]
    # improvements over stage 1, in keys: -200 + 400 and 600 - 200, over 400
    assert value == pytest.approx(400 * (log1p(exp(-2 * 0.5)) + log1p(exp(-2 * 1.0))) / 2)


def test_teacher_configs() -> None:
    assert composed("margin_mse").compares_with == {"bm25"}
    mse = parts(composed("margin_mse", "loss.teacher=mined_score"), mined_score=MINED)["distil"]
    assert mse == pytest.approx(400 * (0.5**2 + 1.0**2) / 2)
    objective = composed("distilled_ranknet", "loss.sigma=1", "loss.teacher_sigma=2")
    expected = 0.0
    for student, teacher in ((-200, -400), (600, 200), (800, 600)):
        target, guess = sigmoid(2 * teacher / 400), sigmoid(student / 400)
        expected -= target * log(guess) + (1 - target) * log(1 - guess)
    assert parts(objective, bm25=MINED)["distil"] == pytest.approx(400 * expected / 3)
