"""The scale of passage scores: the score of one confident identifier."""

from __future__ import annotations

from ltrgr.scoring.scoring_settings import ScoringSettings
from ltrgr.scoring.weights import key_weights

CONFIDENT = -1.0
"""log p of a confident key, nats"""


def one_key_score(*, n_tokens: int, settings: ScoringSettings) -> float:
    """Score of a passage found by one confident key (log p = -1) that occurs once in the corpus.

    It equals the weight of that key. With a = 2 and s = 5 it is 382 on a Wikipedia of 3.2e9 tokens
    and 132 on 1e6 tokens. The paper's margin of 500 (LTRGR, arXiv 2306.15222, sec. 4) is 1.3 keys
    on the former and 3.8 keys on the latter. A margin in multiples of this score keeps its meaning
    between corpora (docs/method.md, 9.3).

    Args:
        n_tokens: N, tokens in the corpus.

    Returns:
        The score in nats^a, above 0.

    Raises:
        ValueError: the weight is 0, which happens only in a corpus of a few tokens.
    """
    weight = float(key_weights([CONFIDENT], [1], n_tokens=n_tokens, settings=settings)[0])
    if weight <= 0:
        raise ValueError(
            f"in a corpus of {n_tokens} tokens a key seen once has weight 0, so margins cannot "
            "be counted in keys; set loss.unit=score, or index more passages"
        )
    return weight
