"""Losses against somebody else's scores: by hand, where they rest, how the objective feeds them."""

from __future__ import annotations

from functools import partial
from math import exp, log, log1p

import pytest
import torch
from test_objective import MASK, RELEVANCE, SCORES, composed

from ltrgr.losses.distillation import distilled_ranknet, margin_mse
from ltrgr.losses.dpo import dpo
from ltrgr.losses.objective import Against, Objective, Term
from ltrgr.losses.samplers import everything

STUDENT = torch.tensor([[2.0, 1.0, 4.0]], dtype=torch.float64)
OTHER = torch.tensor([[9.0, 7.0, 8.0]], dtype=torch.float64)
RELEVANT = torch.tensor([[1, 0, 0]])
ALL = torch.ones(1, 3).bool()


def test_margin_mse_by_hand() -> None:
    # margins of the student 2 - 1 and 2 - 4, of the teacher 9 - 7 and 9 - 8
    expected = ((1 - 2) ** 2 + (-2 - 1) ** 2) / 2
    assert margin_mse(STUDENT, RELEVANT, ALL, teacher=OTHER).item() == pytest.approx(expected)


def sigmoid(x: float) -> float:
    return 1 / (1 + exp(-x))


def test_distilled_ranknet_by_hand() -> None:
    expected = 0.0
    for student, teacher in ((2 - 1, 9 - 7), (2 - 4, 9 - 8), (1 - 4, 7 - 8)):
        target, guess = sigmoid(0.3 * teacher), sigmoid(0.5 * student)
        expected -= target * log(guess) + (1 - target) * log(1 - guess)
    value = distilled_ranknet(STUDENT, RELEVANT, ALL, teacher=OTHER, sigma=0.5, teacher_sigma=0.3)
    assert value.item() == pytest.approx(expected / 3)


def test_dpo_by_hand() -> None:
    # how much further than the reference's are the student's margins: 1 - 2 and -2 - 1
    expected = (log1p(exp(-0.5 * (1 - 2))) + log1p(exp(-0.5 * (-2 - 1)))) / 2
    value = dpo(STUDENT, RELEVANT, ALL, reference=OTHER, beta=0.5)
    assert value.item() == pytest.approx(expected)


@pytest.mark.parametrize("loss", [margin_mse, distilled_ranknet])
def test_a_student_like_its_teacher_rests_and_gives_it_no_gradient(loss) -> None:
    student = (OTHER + 5.0).requires_grad_()
    teacher = OTHER.clone().requires_grad_()
    loss(student, RELEVANT, ALL, teacher=teacher).backward()
    assert student.grad.tolist()[0] == pytest.approx([0.0, 0.0, 0.0], abs=1e-12)
    assert teacher.grad is None


def test_dpo_at_the_reference_pushes_every_pair_alike() -> None:
    scores = STUDENT.clone().requires_grad_()
    dpo(scores, RELEVANT, ALL, reference=STUDENT, beta=0.8).backward()
    assert scores.grad.tolist()[0] == pytest.approx([-0.8 / 2, 0.8 / 4, 0.8 / 4])


def test_sigmas_and_beta_must_be_positive() -> None:
    for setting in ("sigma", "teacher_sigma"):
        with pytest.raises(ValueError, match=rf"{setting}=0\.0.*loss\.{setting}"):
            distilled_ranknet(STUDENT, RELEVANT, ALL, teacher=OTHER, **{setting: 0.0})
    with pytest.raises(ValueError, match=r"beta=-1.*loss\.beta"):
        dpo(STUDENT, RELEVANT, ALL, reference=OTHER, beta=-1)


MINED = torch.tensor([[500.0, 900.0, 300.0], [1.0, 2.0, 3.0]], dtype=torch.float64)


def parts(objective: Objective, **context: torch.Tensor) -> dict[str, float]:
    chosen = objective.select(SCORES, RELEVANCE, MASK, generator=torch.Generator())
    _, values = objective(
        SCORES, RELEVANCE, chosen, torch.tensor(0.0), one_key_score=400.0, context=context
    )
    return {name: value.item() for name, value in values.items()}


def test_the_objective_hands_the_named_scores_over_in_the_terms_unit() -> None:
    loss = Against(loss=margin_mse, inputs={"teacher": "mined_score"})
    terms = {unit: Term(loss=loss, sampler=everything, unit=unit) for unit in ("score", "one_key")}
    values = parts(Objective(terms=terms, lambda_generation=0), mined_score=MINED)
    # only the first question has a contrast: margins -200 and 600, the teacher's -400 and 200
    assert values["score"] == pytest.approx((200**2 + 400**2) / 2)
    assert values["one_key"] == pytest.approx(400 * (0.5**2 + 1.0**2) / 2)


def test_scores_that_the_batch_lacks_are_named() -> None:
    loss = Against(loss=partial(dpo, beta=1.0), inputs={"reference": "bm25_score"})
    objective = Objective(terms={"pair": Term(loss=loss, sampler=everything)}, lambda_generation=0)
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
