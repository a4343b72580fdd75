"""The scale of passage scores: what one confident identifier is worth."""

from __future__ import annotations

from ltrgr.scoring.settings import Scoring
from ltrgr.scoring.weights import key_weights

CONFIDENT = -1.0
"""log p of a key that the model is sure enough of"""


def one_key_score(*, n_tokens: int, settings: Scoring) -> float:
    """Score of a passage found by one confident key (log p = -1) that occurs once in the corpus.

    It is that key's weight. With a = 2 and s = 5 it is 382 on a Wikipedia of 3.2e9 tokens and 132
    on 1e6 tokens, so that the paper's margin of 500 (LTRGR, arXiv 2306.15222, sec. 4) is 1.3 keys
    there and would be 3.8 keys here: the unit in which a margin can travel between corpora.

    Args:
        n_tokens: N, tokens in the corpus.

    Returns:
        The score, above 0.

    Raises:
        ValueError: no key seen once can have a weight (a corpus of a few tokens).
    """
    weight = float(key_weights([CONFIDENT], [1], n_tokens=n_tokens, settings=settings)[0])
    if weight <= 0:
        raise ValueError(
            f"in a corpus of {n_tokens} tokens a key seen once has no weight, so margins cannot "
            "be counted in keys; set loss.unit=score, or index more passages"
        )
    return weight
