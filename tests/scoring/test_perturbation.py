"""Noise on key weights: its size, and that it is the same wherever a key is met."""

from __future__ import annotations

import numpy as np
import pytest

from ltrgr.scoring.perturbation import perturbation
from ltrgr.scoring.scoring_settings import ScoringSettings


def keys(n: int) -> tuple[np.ndarray, np.ndarray]:
    """n different keys of one to three tokens."""
    lengths = 1 + np.arange(n) % 3
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return np.arange(offsets[-1], dtype=np.int32), offsets


def test_without_noise_every_factor_is_one() -> None:
    np.testing.assert_array_equal(perturbation(*keys(5), settings=ScoringSettings()), np.ones(5))


def test_noise_is_log_normal_with_the_asked_sigma() -> None:
    logs = np.log(perturbation(*keys(20_000), settings=ScoringSettings(noise=0.7)))
    assert abs(logs.mean()) < 5 * 0.7 / np.sqrt(20_000)
    assert abs(logs.std() - 0.7) < 5 * 0.7 / np.sqrt(2 * 20_000)
    assert abs(np.mean(np.abs(logs) < 0.7) - 0.6827) < 5 * np.sqrt(0.25 / 20_000)


def test_the_asked_share_is_dropped_and_the_rest_left_alone() -> None:
    factor = perturbation(*keys(20_000), settings=ScoringSettings(drop=0.3))
    assert set(np.unique(factor)) == {0.0, 1.0}
    assert abs(np.mean(factor == 0) - 0.3) < 5 * np.sqrt(0.21 / 20_000)


def test_a_key_is_misjudged_alike_in_any_company() -> None:
    settings = ScoringSettings(noise=1.0, drop=0.2)
    tokens, offsets = keys(50)
    every = perturbation(tokens, offsets, settings=settings)
    for key in range(50):
        own = tokens[offsets[key] : offsets[key + 1]]
        alone = perturbation(own, np.array([0, len(own)]), settings=settings)
        assert alone[0] == every[key]


def test_another_seed_misjudges_other_keys() -> None:
    one, other = (
        perturbation(*keys(2000), settings=ScoringSettings(noise=1.0, noise_seed=seed))
        for seed in (0, 1)
    )
    assert abs(np.corrcoef(np.log(one), np.log(other))[0, 1]) < 5 / np.sqrt(2000)


@pytest.mark.parametrize(
    "setting", [{"noise": -0.1}, {"drop": 1.0}, {"drop": -0.1}, {"noise_seed": -1}]
)
def test_settings_out_of_range_are_named(setting: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"scoring.{next(iter(setting))}="):
        ScoringSettings(**setting)  # type: ignore[arg-type]
