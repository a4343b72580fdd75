"""The objective of a run: its sum, its parts, what it leaves out."""

from __future__ import annotations

import pytest
from objectives import composed, term, total

from ltrgr.losses import Objective, all_passages


def test_the_papers_loss_in_score_units() -> None:
    objective = Objective(terms={"rank1": term()}, lambda_generation=1000)
    loss, parts = total(objective)
    assert parts["rank1"].item() == pytest.approx(900 - 700 + 500)
    assert parts["generation"].item() == 2.0
    assert loss.item() == pytest.approx(1 * 700 + 1000 * 2.0)


def test_weights_multiply_the_sum_and_parts_stay_unweighted() -> None:
    terms = {"near": term(weight=0.5), "far": term(sampler=all_passages, weight=2.0)}
    loss, parts = total(Objective(terms=terms, lambda_generation=10))
    everything_value = (700 + max(0, 100 - 700 + 500)) / 2
    assert parts["far"].item() == pytest.approx(everything_value)
    assert loss.item() == pytest.approx(0.5 * 700 + 2.0 * everything_value + 10 * 2.0)


def test_generation_alone() -> None:
    loss, parts = total(Objective(terms={"off": term(weight=0)}, lambda_generation=3))
    assert (loss.item(), set(parts)) == (6.0, {"generation"})


def test_a_missing_generation_loss_is_named() -> None:
    with pytest.raises(ValueError, match=r"loss\.lambda_generation=0"):
        total(Objective(terms={"rank1": term()}, lambda_generation=1), generation=None)


def test_lambda_in_keys_is_lambda_times_the_one_key_score() -> None:
    terms = {"rank1": term()}
    plain = Objective(terms=terms, lambda_generation=2.6)
    keyed = Objective(terms=terms, lambda_generation=2.6, generation_unit="one_key")
    assert keyed.in_units_of(400.0).lambda_generation == pytest.approx(2.6 * 400)
    apart = total(keyed)[0] - total(plain)[0]
    assert apart.item() == pytest.approx(2.6 * 2.0 * (400 - 1))


def test_a_ramp_turns_one_loss_into_another() -> None:
    """At the start only rank2 counts, twice; at the end only rank1; half-way both as they are."""
    loss, parts = total(composed("ltrgr"), generation=0.5)
    rest = loss - parts["rank1"] - parts["rank2"]
    for progress, rank1, rank2 in ((0.0, 0, 2), (0.5, 1, 1), (1.0, 2, 0)):
        ramped, same = total(composed("ltrgr_curriculum"), generation=0.5, progress=progress)
        assert same.keys() == parts.keys()
        expected = rest + rank1 * parts["rank1"] + rank2 * parts["rank2"]
        assert ramped.item() == pytest.approx(expected.item())
