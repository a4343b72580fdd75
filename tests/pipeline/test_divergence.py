"""A loss that is not finite ends training at the next look, and says what to lower."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from ltrgr.pipeline.divergence import DivergedError, StopAtDivergence, expect_finite


def after_step(step: int, loss: float) -> None:
    trainer = SimpleNamespace(global_step=step)
    StopAtDivergence(every=10).on_train_batch_end(trainer, None, {"loss": torch.tensor(loss)})


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), float("-inf")])
def test_a_loss_that_is_not_finite_stops(loss: float) -> None:
    with pytest.raises(DivergedError, match=rf"the loss is {loss} at step 20; lower"):
        after_step(20, loss)


def test_a_finite_loss_and_a_step_between_looks_go_on() -> None:
    after_step(20, 3.0)
    after_step(21, float("nan"))


def test_a_weight_that_is_not_finite_is_named() -> None:
    layer = torch.nn.Linear(2, 2)
    expect_finite(layer)
    with torch.no_grad():
        layer.bias[1] = float("inf")
    with pytest.raises(DivergedError, match="bias is not finite"):
        expect_finite(layer)
