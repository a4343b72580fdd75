"""The settings of the objective: what is chosen and skipped; the configs compose to it."""

from __future__ import annotations

from math import exp, log1p

import pytest
import torch
from objectives import MASK, RELEVANCE, SCORES, composed, term, total

from ltrgr.losses import Objective, random_pair, top_pair


def test_selection_leaves_out_questions_without_contrast_and_carries_no_gradient() -> None:
    scores = SCORES.clone().requires_grad_()
    objective = Objective(terms={"rank1": term()}, lambda_generation=0)
    chosen = objective.select(scores, RELEVANCE, MASK, generator=torch.Generator())
    assert chosen["rank1"].tolist() == [[True, True, False], [False, False, False]]
    loss, _ = objective.in_units_of(400.0)(scores, RELEVANCE, chosen, None)
    loss.backward()
    assert scores.grad.tolist() == [[-1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]


def test_weight_zero_is_neither_selected_nor_evaluated() -> None:
    def never(*_: object, **__: object) -> torch.Tensor:
        raise AssertionError("a term of weight 0 was evaluated")

    terms = {"rank1": term(), "off": term(loss=never, sampler=never, weight=0.0, unit="one_key")}
    objective = Objective(terms=terms, lambda_generation=0)
    loss, parts = total(objective, generation=None)
    assert (loss.item(), set(parts)) == (700.0, {"rank1"})
    assert not objective.needs_one_key_score


def test_lambda_in_keys_needs_the_one_key_score_unless_it_is_zero() -> None:
    terms = {"rank1": term()}
    assert Objective(
        terms=terms, lambda_generation=1, generation_unit="one_key"
    ).needs_one_key_score
    assert not Objective(
        terms=terms, lambda_generation=0, generation_unit="one_key"
    ).needs_one_key_score


@pytest.mark.parametrize("wrong", [0.0, -1.0, float("nan"), float("inf")])
def test_a_one_key_score_is_above_zero(wrong: float) -> None:
    with pytest.raises(ValueError, match=rf"one_key_score={wrong}, expected a number above 0"):
        Objective(terms={"rank1": term()}, lambda_generation=0).in_units_of(wrong)


def test_wrong_settings_say_so() -> None:
    with pytest.raises(ValueError, match=r"lambda_generation=nan"):
        Objective(terms={}, lambda_generation=float("nan"))
    with pytest.raises(ValueError, match="nothing would be trained"):
        Objective(terms={"rank1": term(weight=0)}, lambda_generation=0)
    with pytest.raises(ValueError, match="named 'generation'"):
        Objective(terms={"generation": term()}, lambda_generation=1)
    with pytest.raises(ValueError, match="generation_unit='keys'"):
        Objective(terms={"rank1": term()}, lambda_generation=1, generation_unit="keys")


def test_ltrgr_config_with_the_papers_numbers() -> None:
    objective = composed(
        "ltrgr", "loss.unit=score", "loss.margin=500", "loss.lambda_generation=1000"
    )
    assert [t.sampler.func for t in objective.terms.values()] == [top_pair, random_pair]
    bound, generator = objective.in_units_of(400.0), torch.Generator().manual_seed(0)
    generation = torch.tensor(2.0, dtype=torch.float64)
    drawn = set()
    for _ in range(20):
        chosen = objective.select(SCORES, RELEVANCE, MASK, generator=generator)
        loss, parts = bound(SCORES, RELEVANCE, chosen, generation)
        # only the first question has a contrast; its random negative scores 900 or 100
        negative = SCORES[0, 1:][chosen["rank2"][0, 1:]].item()
        second = {900: 900 - 700 + 500, 100: 0}[negative]
        assert (parts["rank1"].item(), parts["rank2"].item()) == (900 - 700 + 500, second)
        assert loss.item() == pytest.approx(700 + second + 1000 * 2.0)
        drawn.add(negative)
    assert drawn == {900, 100}


def test_ltrgr_config_defaults_and_ablations() -> None:
    _, parts = total(composed("ltrgr"))
    assert parts["rank1"].item() == pytest.approx(200 + 1.3 * 400)
    assert set(composed("ltrgr", "loss.rank1=0").active) == {"rank2"}
    assert set(composed("ltrgr", "loss.rank2=0").active) == {"rank1"}
    unequal = composed("ltrgr", "loss.objective.terms.rank2.loss.margin=600")
    assert unequal.terms["rank2"].loss.keywords == {"margin": 600}
    assert unequal.terms["rank1"].loss.keywords == {"margin": 1.3}


def test_infonce_config() -> None:
    _, parts = total(composed("infonce", "loss.temperature=0.5"))
    rivals = exp((900 - 700) / 400 / 0.5) + exp((100 - 700) / 400 / 0.5)
    assert parts["listwise"].item() == pytest.approx(400 * log1p(rivals))


def test_ranknet_config() -> None:
    _, parts = total(composed("ranknet", "loss.unit=score", "loss.sigma=0.01"))
    expected = (log1p(exp(0.01 * 200)) + log1p(exp(0.01 * -600))) / 2
    assert parts["pairwise"].item() == pytest.approx(expected)
