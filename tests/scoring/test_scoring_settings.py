"""The settings refuse what makes no sense; the config files say what they claim."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from ltrgr.scoring.scoring_settings import ScoringSettings

CONF = Path(__file__).parents[2] / "conf" / "scoring"


def composed(name: str) -> ScoringSettings:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return instantiate(compose(name))


def test_default_config_is_the_default_object():
    assert asdict(composed("lm_fm")) == asdict(ScoringSettings())
    assert type(composed("lm_fm").view_weights) is dict


def test_other_configs_differ_only_where_they_say():
    assert asdict(composed("lm_only")) == asdict(ScoringSettings(frequency=False))
    plain = ScoringSettings(exponent=1.0, coverage=0.0, frequency=False, overlap=True)
    assert asdict(composed("plain_sum")) == asdict(plain)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("exponent", 0.0, r"scoring.exponent=0.0: expected a finite number above 0"),
        ("exponent", float("nan"), "scoring.exponent=nan"),
        ("coverage", 1.5, "scoring.coverage=1.5: expected a number from 0 to 1"),
        ("smoothing", -1.0, "scoring.smoothing=-1.0: expected a finite number, 0 or more"),
        ("smoothing", float("inf"), "scoring.smoothing=inf: expected a finite number"),
        ("max_probability", 1.0, "scoring.max_probability=1.0"),
        (
            "keys_per_passage",
            0,
            "keys_per_passage=0: expected a whole number from 1 to 10,000, or null",
        ),
        ("max_candidate_count", 0, "scoring.max_candidate_count=0"),
        ("candidates", 0, "scoring.candidates=0"),
        ("unigrams", -1, "scoring.unigrams=-1"),
        ("question_ngrams", -1, "scoring.question_ngrams=-1"),
        (
            "view_weights",
            {"title": -1.0},
            "scoring.view_weights.title=-1.0: expected a finite number",
        ),
        (
            "view_offsets",
            {"body": float("nan")},
            "scoring.view_offsets.body=nan: expected a finite",
        ),
    ],
)
def test_refusals_name_the_setting(name, value, message):
    with pytest.raises(ValueError, match=message):
        ScoringSettings(**{name: value})


def test_views_come_in_the_family_s_order():
    scoring = ScoringSettings(view_weights={"body": 2.0}, view_offsets={"query": 14.0})
    weights, offsets = scoring.of_views(["title", "body", "query"])
    assert weights.tolist() == [1.0, 2.0, 1.0]
    assert offsets.tolist() == [0.0, 0.0, 14.0]
    with pytest.raises(ValueError, match=r"\['query'\].*\['title', 'body'\]"):
        scoring.of_views(["title", "body"])
