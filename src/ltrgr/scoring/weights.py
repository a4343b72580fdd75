"""The weight of a key in numpy, for search; ``differentiable`` has the same formula in torch."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ltrgr.scoring.scoring_settings import ScoringSettings

Floats = NDArray[np.float64]


def key_weights(
    log_probability: ArrayLike,
    count: ArrayLike,
    *,
    n_tokens: int,
    view_weight: ArrayLike = 1.0,
    view_offset: ArrayLike = 0.0,
    settings: ScoringSettings,
) -> Floats:
    """``w = view_weight * max(0, log-odds + view_offset)^a``, SEAL's LM+FM (arXiv 2204.10628).

    ``log-odds = log[p (1 - P) / (P (1 - p))]`` with ``P = (count + s) / (n_tokens + s)``; p is
    capped at ``settings.max_probability`` (docs/method.md, section 6).

    Args:
        log_probability: [n] log p(key | question), nats.
        count: [n] occurrences in the corpus; ignored where ``settings.frequency`` is off.
        n_tokens: N, tokens in the corpus.
        view_weight: [n] or a number.
        view_offset: [n] or a number, nats.

    Returns:
        float64 [n], 0 or more, in nats^a.

    Raises:
        ValueError: a count lies outside 0..n_tokens.

    >>> round(float(key_weights(-1.0, 3, n_tokens=1000, settings=ScoringSettings())), 3)
    18.353
    """
    counts = np.asarray(count, dtype=np.float64)
    if counts.size and not (counts.min() >= 0 and counts.max() <= n_tokens):
        raise ValueError(
            f"counts from {counts.min():.0f} to {counts.max():.0f} in a corpus of {n_tokens} "
            "tokens: the keys belong to another index; build it again with `ltrgr index`"
        )
    log_p = np.minimum(
        np.asarray(log_probability, dtype=np.float64), math.log(settings.max_probability)
    )
    prior = prior_log_odds(counts, n_tokens=n_tokens, settings=settings)
    gain = log_p - log1mexp(log_p) - prior + np.asarray(view_offset, dtype=np.float64)
    # `gain <= 0` is false for nan: nan stays nan, and `score_passages` refuses it
    clamped = np.maximum(0.0, gain)
    weight: Floats = np.asarray(view_weight) * np.where(gain <= 0, 0.0, settings.power(clamped))
    return weight


def prior_log_odds(count: Floats, *, n_tokens: int, settings: ScoringSettings) -> Floats:
    """``log[P / (1 - P)] = log[(count + s) / (N - count)]``, [n], as P = (count + s) / (N + s)."""
    counted = count if settings.frequency else np.ones_like(count)
    with np.errstate(divide="ignore"):  # count = N gives infinite prior odds, hence weight 0
        odds: Floats = np.log(counted + settings.smoothing) - np.log(n_tokens - counted)
    return odds


def log1mexp(log_p: Floats) -> Floats:
    """``log(1 - exp(x))`` for x < 0 without cancellation (Mächler 2012)."""
    near = log_p > -math.log(2)
    result: Floats = np.where(
        near, np.log(-np.expm1(np.where(near, log_p, -1.0))), np.log1p(-np.exp(log_p))
    )
    return result
