"""The gain of a system over the one it is built on, seed by seed."""

import numpy as np
import pytest

from ltrgr.pipeline.evaluate_stage import Measured
from ltrgr.pipeline.paired import Gain, gains


def measured(values: list[float]) -> Measured:
    return Measured(
        query_ids=tuple(f"q{i}" for i in range(len(values))),
        values={"hits@5": np.array(values)},
        seconds_per_question=0.1,
    )


def test_runs_are_paired_by_seed() -> None:
    base = {0: measured([0.0, 0.0, 1.0, 0.0]), 1: measured([1.0, 1.0, 1.0, 0.0])}
    # seed 0: 3/4 over 1/4; seed 1: 4/4 over 3/4; seed 7 has no base
    better = {
        0: measured([1.0, 1.0, 1.0, 0.0]),
        1: measured([1.0, 1.0, 1.0, 1.0]),
        7: measured([0.0, 0.0, 0.0, 0.0]),
    }
    gain = gains(better, base, metrics=["hits@5", "mrr@10"], samples=100)
    assert list(gain) == ["hits@5"]
    assert gain["hits@5"].by_seed.tolist() == [0.5, 0.25]
    # question means: differences 0.5, 0.5, 0, 0.5: of 8 sign patterns two reach the sum
    assert gain["hits@5"].p == 0.25


def test_the_order_of_the_seeds_does_not_matter() -> None:
    base = {0: measured([0.0, 1.0]), 1: measured([1.0, 1.0])}
    swapped = {1: measured([1.0, 1.0]), 0: measured([0.0, 1.0])}
    gain = gains(swapped, base, metrics=["hits@5"], samples=100)["hits@5"]
    assert gain.by_seed.tolist() == [0, 0]


def test_a_gain_prints_in_percent() -> None:
    assert str(Gain(by_seed=np.array([0.02, 0.04]), p=0.0312)) == "+3.0 ± 1.4 (p = 0.031)"
    assert str(Gain(by_seed=np.array([-0.02]), p=0.0001)) == "-2.0 (p < 0.001)"


def test_without_a_common_seed_there_is_no_gain() -> None:
    with pytest.raises(ValueError, match=r"seeds \[0\] and \[1\], expected a common one"):
        gains({0: measured([1.0])}, {1: measured([1.0])}, metrics=["hits@5"], samples=100)
