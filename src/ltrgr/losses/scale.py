"""The scale of passage scores: what one confident identifier is worth."""

from __future__ import annotations

import math


def one_key_score(
    n_tokens: int, exponent: float, *, smoothing: float = 5.0, log_probability: float = -1.0
) -> float:
    """Score of a passage found by one confident key that occurs once in the corpus.

        P = (1 + s) / (N + s)
        w = max(0, log[ p (1 - P) / (P (1 - p)) ]),  p = exp(log_probability)
        one-key score = w^a

    This is the LM+FM key weight with count 1 and cover 1 (SEAL, arXiv 2204.10628).
    A key counts as confident at log p = -1. With a = 2 and s = 5 it is 382 on a Wikipedia of
    3.2e9 tokens, 132 on 1e6 tokens: LTRGR's margin of 500 is 1.3 keys there, 3.8 keys here.
    It is the unit in which a margin can travel from one corpus to another.

    Args:
        n_tokens: N, tokens in the corpus.
        exponent: a, the power that the scorer raises a key weight to.
        smoothing: s, added to every count.
        log_probability: log p(key | question) of a confident key, below 0.

    Returns:
        The score, above 0.

    Raises:
        ValueError: no key seen once can have a positive weight (a corpus of a few tokens), or
            ``log_probability`` is not below 0.
    """
    if log_probability >= 0:
        raise ValueError(
            f"one_key_score: found log_probability={log_probability}, expected a number below 0"
        )
    rarity = math.log(n_tokens - 1) - math.log(1 + smoothing) if n_tokens > 1 else -math.inf
    weight = rarity + log_probability - math.log(-math.expm1(log_probability))
    if weight <= 0:
        raise ValueError(
            f"one_key_score: in a corpus of {n_tokens} tokens a key seen once has no weight "
            f"(found log-odds {weight:.3g}, expected above 0); set loss.unit=score, or index more "
            "passages"
        )
    return float(weight**exponent)
