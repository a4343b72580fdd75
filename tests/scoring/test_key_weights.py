"""Key weights: arithmetic by hand, the two faces against each other, gradients."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from ltrgr.scoring import differentiable
from ltrgr.scoring.scoring_settings import ScoringSettings
from ltrgr.scoring.weights import key_weights, log1mexp

N = 1_000_000


def test_by_hand():
    # p = 1/2, count 95 in 10,000 tokens, s = 5: P = 100 / 10,005; odds of p are 1.
    prior = (95 + 5) / (10_000 + 5)
    gain = math.log(0.5 * (1 - prior) / (prior * 0.5))
    got = key_weights(math.log(0.5), 95, n_tokens=10_000, settings=ScoringSettings())
    assert got == pytest.approx(gain**2, rel=1e-13)


def test_view_weight_multiplies_and_view_offset_adds_before_the_clamp():
    # Without the offset, the odds of p = 1/4 are 1/3 and P / (1 - P) = 1: log(1/3) is clamped.
    scoring = ScoringSettings(exponent=1.0, smoothing=0.0)
    plain = key_weights(math.log(0.25), 50, n_tokens=100, settings=scoring)
    lifted = key_weights(
        math.log(0.25), 50, n_tokens=100, view_weight=3.0, view_offset=2.0, settings=scoring
    )
    assert plain == 0.0
    assert lifted == pytest.approx(3 * (2 - math.log(3)), rel=1e-13)


def test_lm_only_prices_every_key_as_if_it_occurred_once():
    counts = np.array([1, 70, 40_000])
    lm = key_weights(
        np.full(3, -0.5), counts, n_tokens=N, settings=ScoringSettings(frequency=False)
    )
    once = key_weights(-0.5, 1, n_tokens=N, settings=ScoringSettings())
    assert lm.tolist() == [float(once)] * 3


def test_probability_is_capped():
    capped = key_weights(
        np.array([0.0, -1e-9, math.log(0.999)]), 1, n_tokens=N, settings=ScoringSettings()
    )
    assert capped.tolist() == [capped[2]] * 3
    odds = math.log(0.999 / 0.001) - math.log(6 / (N - 1))
    assert capped[2] == pytest.approx(odds**2, rel=1e-12)


def test_impossible_keys_weigh_nothing():
    assert key_weights(-np.inf, 1, n_tokens=N, settings=ScoringSettings()) == 0.0
    assert key_weights(-0.1, 10, n_tokens=10, settings=ScoringSettings()) == 0.0


def test_counts_of_another_index_are_refused():
    with pytest.raises(ValueError, match="from 11 to 11 in a corpus of 10 tokens"):
        key_weights(-0.1, 11, n_tokens=10, settings=ScoringSettings())


def test_log1mexp_against_known_expansions():
    # log(1 - e^-x) = log(x) - x/2 + O(x^2) for small x, and -e^-x - e^-2x / 2 for large x.
    np.testing.assert_allclose(log1mexp(np.array([-1e-8])), [math.log(1e-8) - 5e-9], rtol=1e-14)
    np.testing.assert_allclose(log1mexp(np.array([-40.0])), [-math.exp(-40)], rtol=1e-14)
    np.testing.assert_allclose(log1mexp(np.array([-math.log(2)])), [-math.log(2)], rtol=1e-14)


@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("frequency", [True, False])
@pytest.mark.parametrize(("dtype", "bound"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_two_faces(exponent, frequency, dtype, bound):
    rng = np.random.default_rng(3)
    log_p = -rng.exponential(4.0, 2000).astype(np.float32)
    log_p[:4] = [0.0, -1e-7, -math.log(2), -80.0]
    count = rng.integers(1, 1 + np.minimum(N, 10.0 ** rng.uniform(0, 6, 2000)).astype(np.int64))
    view_weight, view_offset = rng.uniform(0, 3, 2000), rng.uniform(-2, 14, 2000)
    scoring = ScoringSettings(exponent=exponent, frequency=frequency)
    search = key_weights(
        log_p,
        count,
        n_tokens=N,
        view_weight=view_weight,
        view_offset=view_offset,
        settings=scoring,
    )
    training = differentiable.key_weights(
        torch.tensor(log_p, dtype=dtype),
        torch.tensor(count),
        n_tokens=N,
        view_weight=torch.tensor(view_weight, dtype=dtype),
        view_offset=torch.tensor(view_offset, dtype=dtype),
        settings=scoring,
    )
    assert training.dtype == dtype
    # A small weight is a difference of large logs; the scale of the error is that of a key.
    error = np.abs(training.double().numpy() - search) / np.maximum(search, 1.0)
    loose = 100 if exponent < 1 else 1  # x^0.5 is infinitely steep at 0
    assert error.max() <= loose * bound
    assert (search == 0).sum() > 10
    assert (search > 0).sum() > 1000


@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_gradient_is_finite_everywhere(exponent, dtype):
    log_p = torch.tensor(
        [0.0, -1e-9, -1e-3, math.log(0.999), -math.log(2), -5.0, -30.0, -1e4, -math.inf],
        dtype=dtype,
        requires_grad=True,
    )
    count = torch.tensor([1, 5, N, 7, 100, 90_000, 1, 1, 1])
    for cap in (0.999, 1 - 1e-12):
        scoring = ScoringSettings(exponent=exponent, max_probability=cap)
        weight = differentiable.key_weights(log_p, count, n_tokens=N, settings=scoring)
        (gradient,) = torch.autograd.grad(weight.sum(), log_p)
        assert torch.isfinite(weight).all()
        assert torch.isfinite(gradient).all()


def test_gradient_is_zero_at_the_clamp_and_beyond_the_cap():
    # Odds 1 against prior odds 1: the log odds are exactly 0.
    log_p = torch.tensor([math.log(0.5), -1e-6], dtype=torch.float64, requires_grad=True)
    weight = differentiable.key_weights(
        log_p,
        torch.tensor([50, 1]),
        n_tokens=100,
        settings=ScoringSettings(exponent=1.0, smoothing=0.0),
    )
    weight.sum().backward()
    assert weight[0].item() == pytest.approx(0.0, abs=1e-12)
    assert log_p.grad is not None
    assert log_p.grad[1].item() == 0.0


@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0])
def test_gradient_by_hand_and_gradcheck(exponent):
    # d/dlog p of log[p / (1 - p)] = 1 / (1 - p), times a x^(a - 1).
    scoring = ScoringSettings(exponent=exponent)
    log_p = torch.tensor([-0.01, -0.3, -0.7, -2.0], dtype=torch.float64, requires_grad=True)
    count = torch.tensor([3, 10, 200, 1])

    def weigh(values: torch.Tensor) -> torch.Tensor:
        return differentiable.key_weights(values, count, n_tokens=N, settings=scoring)

    (gradient,) = torch.autograd.grad(weigh(log_p).sum(), log_p)
    p = np.exp(log_p.detach().numpy())
    prior = (count.numpy() + 5) / (N + 5)
    x = np.log(p * (1 - prior) / (prior * (1 - p)))
    np.testing.assert_allclose(
        gradient.numpy(), exponent * x ** (exponent - 1) / (1 - p), rtol=1e-9
    )
    assert torch.autograd.gradcheck(weigh, (log_p,))


def test_nan_is_no_weight_of_zero_on_either_face() -> None:
    """A model that gives nan is to be told of, not to look as if it had found nothing."""
    log_p = [math.nan, -0.5, -100.0, -math.inf]
    settings = ScoringSettings()
    search = key_weights(log_p, [3] * 4, n_tokens=N, settings=settings)
    training = differentiable.key_weights(
        torch.tensor(log_p), torch.full((4,), 3), n_tokens=N, settings=settings
    ).numpy()
    for weight in (search, training):
        assert np.isnan(weight[0])
        assert weight[1] > 0
        assert weight[2:].tolist() == [0, 0]
