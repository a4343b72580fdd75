"""One term: its unit, its weight over the training."""

from __future__ import annotations

from functools import partial

import pytest
from objectives import MASK, RELEVANCE, SCORES, term, total

from ltrgr.losses import Objective, Term, all_passages, margin_loss


def test_one_key_units_measure_the_margin_not_the_loss() -> None:
    one_key = term(loss=partial(margin_loss, margin=1.0), unit="one_key")
    _, parts = total(Objective(terms={"rank1": one_key}, lambda_generation=1000))
    assert parts["rank1"].item() == pytest.approx(400 * ((900 - 700) / 400 + 1.0))


def test_a_unit_becomes_a_number_once() -> None:
    keyed, raw = (term(unit=unit).in_units_of(400.0) for unit in ("one_key", "score"))
    assert (keyed.unit, raw.unit) == (400.0, 1.0)
    chosen = MASK.clone()
    chosen[1] = False
    # the margin of 500 counts in keys: 900 - 700 + 500 * 400 and 100 - 700 + 500 * 400
    expected = (200 - 600) / 2 + 500 * 400
    assert keyed(SCORES, RELEVANCE, chosen).item() == pytest.approx(expected)
    assert raw(SCORES, RELEVANCE, chosen).item() == pytest.approx((700 + 0) / 2)


def test_a_ramp_is_linear_in_the_progress() -> None:
    ramped = term(weight=3.0, ramp=(0.5, 1.5)).in_units_of(1.0)
    assert [ramped.weight_at(x) for x in (0.0, 0.25, 1.0)] == pytest.approx([1.5, 2.25, 4.5])


def test_wrong_settings_say_so() -> None:
    with pytest.raises(ValueError, match=r"unit='keys'.*'score', 'one_key'"):
        term(unit="keys")
    with pytest.raises(ValueError, match=r"weight=-1"):
        term(weight=-1)
    with pytest.raises(ValueError, match=r"ramp=\[1\.0\], expected a first and a last factor"):
        Term(loss=lambda s, r, m: s.sum(), sampler=all_passages, ramp=(1.0,))
    with pytest.raises(ValueError, match=r"ramp=-1\.0"):
        term(ramp=(-1.0, 1.0))
