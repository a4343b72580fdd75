"""The one-key score: the unit of margins."""

from math import exp, log

import pytest

from ltrgr.scoring.scale import one_key_score
from ltrgr.scoring.scoring_settings import ScoringSettings


def test_the_figures_of_wikipedia_and_of_a_million_tokens() -> None:
    assert one_key_score(n_tokens=3_200_000_000, settings=ScoringSettings()) == pytest.approx(
        382, abs=0.5
    )
    assert one_key_score(n_tokens=1_000_000, settings=ScoringSettings()) == pytest.approx(
        132, abs=0.5
    )


def test_by_hand() -> None:
    # p = 1/e, P = (1 + 5) / (1000 + 5): log of the odds ratio, exponent 1
    odds = (exp(-1) / (1 - exp(-1))) / ((6 / 1005) / (999 / 1005))
    assert one_key_score(n_tokens=1000, settings=ScoringSettings(exponent=1)) == pytest.approx(
        log(odds)
    )


def double(gain: float) -> float:
    return 2 * gain


def test_another_heuristic_has_its_own_scale() -> None:
    plain = one_key_score(n_tokens=1000, settings=ScoringSettings(exponent=1))
    assert one_key_score(n_tokens=1000, settings=ScoringSettings(transform=double)) == 2 * plain


def test_a_corpus_too_small_for_any_weight() -> None:
    with pytest.raises(ValueError, match=r"loss\.unit=score"):
        one_key_score(n_tokens=10, settings=ScoringSettings())
