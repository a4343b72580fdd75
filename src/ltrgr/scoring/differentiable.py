"""The score in torch, for training: the arithmetic of ``weights``, with gradients."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from ltrgr.scoring.scoring_settings import ScoringSettings


def key_weights(
    log_probability: Tensor,
    count: Tensor,
    *,
    n_tokens: int,
    view_weight: Tensor | float = 1.0,
    view_offset: Tensor | float = 0.0,
    exponent: Tensor | None = None,
    settings: ScoringSettings,
) -> Tensor:
    """``w = view_weight * max(0, log-odds + view_offset)^a``: see ``weights.key_weights``.

    Args:
        log_probability: [n] log p(key | question), nats, any float dtype. Half precision is
            converted to float32, because scores reach thousands.
        count: [n] occurrences in the corpus.
        n_tokens: N, tokens in the corpus.
        view_weight: [n] or a number.
        view_offset: [n] or a number, nats.
        exponent: [] a learned exponent above 0; None: that of ``settings``.

    Returns:
        [n] weights in nats^a. The gradient is finite everywhere. It is 0 where a key is clamped:
        at log odds below 0, and at probabilities above ``settings.max_probability``.
    """
    log_p = _at_least_float32(log_probability).clamp(max=math.log(settings.max_probability))
    prior = prior_log_odds(count, n_tokens=n_tokens, settings=settings).to(log_p)
    gain = log_p - log1mexp(log_p) - prior + view_offset
    nothing = gain <= 0
    # The inner `where` keeps the infinite slope of x^a at 0 (a < 1) out of the gradient.
    inside = torch.where(nothing, 1.0, gain)
    power = settings.power(inside) if exponent is None else inside**exponent
    return torch.where(nothing, 0.0, power) * view_weight


def passage_scores(
    key_log_probability: Tensor,
    count: Tensor,
    view_weight: Tensor | float,
    view_offset: Tensor | float,
    key_index: Tensor,
    coverage: Tensor,
    *,
    n_tokens: int,
    exponent: Tensor | None = None,
    settings: ScoringSettings,
) -> Tensor:
    """``s(q, p) = sum over k of w[key_index[q, p, k]] * coverage[q, p, k]`` (docs/method.md, 9.1).

    Args:
        key_log_probability: [n] log p of the distinct keys of the batch, nats.
        count: [n] occurrences in the corpus.
        view_weight, view_offset: [n] or a number, of each key's view.
        key_index: int64 [B, P, K] the counted keys of each passage as indices into n; -1 is padding
            (``RankLists.members``).
        coverage: [B, P, K] the coverage of each counted key, fixed at mining (or ``coverage_at``).
        n_tokens: N, tokens in the corpus.
        exponent: [] a learned exponent; None: that of ``settings``.

    Returns:
        [B, P] scores. A padded place adds exactly 0 and passes no gradient to any key.
    """
    weight = key_weights(
        key_log_probability,
        count,
        n_tokens=n_tokens,
        view_weight=view_weight,
        view_offset=view_offset,
        exponent=exponent,
        settings=settings,
    )
    padded = torch.cat((weight, weight.new_zeros(1)))  # key_index -1 reads the zero at the end
    return (padded[key_index] * torch.where(key_index < 0, 0.0, coverage.to(weight))).sum(dim=-1)


def coverage_at(strength: Any, coverage: Any, *, mined_at: float) -> Any:
    """Convert coverage that was mined with b = ``mined_at`` to b = ``strength``.

    ``coverage = 1 - b + b f``, where f is the fraction of the key's tokens that no heavier key has
    covered. Hence ``f = 1 - (1 - coverage) / mined_at`` and ``coverage_at = 1 - strength (1 - f)``.

    Args:
        strength: the new b, [] or a number.
        coverage: [...] mined coverage, a tensor or an array.
        mined_at: the b of mining, above 0; with b = 0 every coverage is 1 and f is unknown.

    Returns:
        [...] the coverage with b = ``strength``.

    Raises:
        ValueError: ``mined_at`` is not above 0.

    >>> coverage_at(0.5, 0.6, mined_at=0.8)  # half of its tokens are covered
    0.75
    """
    if not mined_at > 0:
        raise ValueError(f"found coverage mined with b={mined_at}, expected a b above 0")
    return 1 - strength * ((1 - coverage) / mined_at)


def prior_log_odds(count: Tensor, *, n_tokens: int, settings: ScoringSettings) -> Tensor:
    """``log[(count + s) / (N - count)]``, [n], float64: counts may exceed float32's integers."""
    counted = count.double() if settings.frequency else torch.ones_like(count, dtype=torch.float64)
    return torch.log(counted + settings.smoothing) - torch.log(n_tokens - counted)


def log1mexp(log_p: Tensor) -> Tensor:
    """``log(1 - exp(x))`` for x < 0 without cancellation (Mächler 2012)."""
    near = log_p > -math.log(2)
    # Each branch gets only arguments in its range; torch.where would pass on 0 * inf = nan.
    return torch.where(
        near,
        torch.log(-torch.expm1(torch.where(near, log_p, -1.0))),
        torch.log1p(-torch.exp(torch.where(near, -1.0, log_p))),
    )


def _at_least_float32(values: Tensor) -> Tensor:
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values
