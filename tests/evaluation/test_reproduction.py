"""The prediction interval and its verdicts, worked out by hand."""

from __future__ import annotations

import pytest

from ltrgr.evaluation.reproduction import (
    NEAR,
    OFF,
    OK,
    ONE_RUN,
    Spread,
    interval,
    pooled,
    verdict,
)


def test_the_interval_of_three_runs_for_a_mean_of_three() -> None:
    # 0.75, 0.76, 0.77: m = 0.76, s = 0.01; t(.975, 2) = 4.302653 (any table of Student's t)
    # half-width 4.302653 * 0.01 * sqrt(1/3 + 1/3) = 0.0351310
    known = Spread(runs=3, mean=0.76, sd=0.01)
    assert interval(known, seeds=3, questions=1000) == pytest.approx((0.724869, 0.795131), abs=1e-6)
    # one new run: sqrt(1/3 + 1) = 1.154701, half-width 0.0496828
    assert interval(known, seeds=1, questions=1000) == pytest.approx((0.710317, 0.809683), abs=1e-6)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (0.76, OK),
        (0.76 + 0.03512, OK),  # half-width 0.035131
        (0.76 - 0.03512, OK),
        (0.76 + 0.03515, NEAR),
        (0.76 - 0.07025, NEAR),  # twice: 0.070262
        (0.76 + 0.07028, OFF),
        (0.0, OFF),
    ],
)
def test_verdicts_by_half_widths(found: float, expected: str) -> None:
    known = Spread(runs=3, mean=0.76, sd=0.01)
    assert verdict(found, known, seeds=3, questions=1000) == expected


def test_runs_that_agree_have_a_deviation_of_one_question() -> None:
    # two equal runs, one new: t(.975, 1) = 12.706205, s = 1/1000, sqrt(1/2 + 1) = 1.224745
    same = Spread(runs=2, mean=0.738, sd=0.0)
    half = 12.706205 * 0.001 * 1.224745
    assert interval(same, seeds=1, questions=1000) == pytest.approx((0.738 - half, 0.738 + half))
    assert verdict(0.738, same, seeds=1, questions=1000) == OK
    assert verdict(0.738 + 0.0156, same, seeds=1, questions=1000) == NEAR
    # a tenth of a question is no narrower than none
    less = Spread(runs=2, mean=0.738, sd=0.0001)
    assert interval(less, seeds=1, questions=1000) == interval(same, seeds=1, questions=1000)


def test_one_run_has_no_interval_and_is_never_ok() -> None:
    one = Spread(runs=1, mean=0.5)
    assert interval(one, seeds=1, questions=10) is None
    assert verdict(0.5, one, seeds=1, questions=10) == ONE_RUN == "one run: no interval"
    with pytest.raises(ValueError, match="seeds=0"):
        interval(one, seeds=0, questions=10)


def test_pooling_summaries_equals_pooling_the_runs() -> None:
    # runs 1, 3 (m 2, s sqrt 2) and 6, 8, 10 (m 8, s 2) and 2: mean 30/6 = 5
    # squares about 5: 16 + 4 + 1 + 9 + 25 + 9 = 64, s = sqrt(64 / 5)
    parts = [
        Spread(runs=2, mean=2.0, sd=2**0.5),
        Spread(runs=3, mean=8.0, sd=2.0),
        Spread(runs=1, mean=2.0),
    ]
    whole = pooled(parts)
    assert (whole.runs, whole.mean) == (6, pytest.approx(5.0))
    assert whole.sd == pytest.approx((64 / 5) ** 0.5)
    assert pooled(parts[2:]) == parts[2]
    with pytest.raises(ValueError, match="expected runs"):
        pooled([Spread(runs=2, mean=1.0)])
