"""Losses against a teacher: arithmetic by hand, and where they have gradient 0."""

from __future__ import annotations

from math import log

import pytest
import torch
from graded_lists import lists, sigmoid, whole

from ltrgr.losses import distilled_ranknet, margin_mse

STUDENT = lists([2.0, 1.0, 4.0])
OTHER = lists([9.0, 7.0, 8.0])
RELEVANT = torch.tensor([[1, 0, 0]])
ALL = whole(STUDENT)


def test_margin_mse_by_hand() -> None:
    # margins of the student 2 - 1 and 2 - 4, of the teacher 9 - 7 and 9 - 8
    expected = ((1 - 2) ** 2 + (-2 - 1) ** 2) / 2
    assert margin_mse(STUDENT, RELEVANT, ALL, teacher=OTHER).item() == pytest.approx(expected)


def test_distilled_ranknet_by_hand() -> None:
    expected = 0.0
    for student, teacher in ((2 - 1, 9 - 7), (2 - 4, 9 - 8), (1 - 4, 7 - 8)):
        target, guess = sigmoid(0.3 * teacher), sigmoid(0.5 * student)
        expected -= target * log(guess) + (1 - target) * log(1 - guess)
    value = distilled_ranknet(STUDENT, RELEVANT, ALL, teacher=OTHER, sigma=0.5, teacher_sigma=0.3)
    assert value.item() == pytest.approx(expected / 3)


@pytest.mark.parametrize("loss", [margin_mse, distilled_ranknet])
def test_a_student_like_its_teacher_rests_and_gives_it_no_gradient(loss) -> None:
    student = (OTHER + 5.0).requires_grad_()
    teacher = OTHER.clone().requires_grad_()
    loss(student, RELEVANT, ALL, teacher=teacher).backward()
    assert student.grad.tolist()[0] == pytest.approx([0.0, 0.0, 0.0], abs=1e-12)
    assert teacher.grad is None
