"""The objective: units, weights, what is skipped; the configs compose to it."""

from __future__ import annotations

from functools import partial
from math import exp, log1p
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from ltrgr.losses.margin import margin
from ltrgr.losses.objective import Objective, Term
from ltrgr.losses.samplers import everything, random, top

CONF = Path(__file__).parents[2] / "conf"
SCORES = torch.tensor([[700.0, 900.0, 100.0], [50.0, 60.0, 70.0]], dtype=torch.float64)
RELEVANCE = torch.tensor([[1, 0, 0], [1, 1, 1]])
MASK = torch.ones(2, 3).bool()


def term(**changes) -> Term:
    settings = {"loss": partial(margin, margin=500.0), "sampler": top}
    return Term(**{**settings, **changes})


def total(objective: Objective, scores: torch.Tensor = SCORES, generation: float | None = 2.0):
    chosen = objective.select(scores, RELEVANCE, MASK, generator=torch.Generator().manual_seed(0))
    loss = None if generation is None else torch.tensor(generation, dtype=torch.float64)
    return objective(scores, RELEVANCE, chosen, loss, one_key_score=400.0)


def test_the_papers_loss_in_score_units() -> None:
    objective = Objective(terms={"rank1": term()}, lambda_generation=1000)
    loss, parts = total(objective)
    assert parts["rank1"].item() == pytest.approx(900 - 700 + 500)
    assert parts["generation"].item() == 2.0
    assert loss.item() == pytest.approx(1 * 700 + 1000 * 2.0)


def test_one_key_units_measure_the_margin_not_the_loss() -> None:
    loss_of_one_key = partial(margin, margin=1.0)
    objective = Objective(
        terms={"rank1": term(loss=loss_of_one_key, unit="one_key")}, lambda_generation=1000
    )
    _, parts = total(objective)
    assert parts["rank1"].item() == pytest.approx(400 * ((900 - 700) / 400 + 1.0))


def test_weights_multiply_the_sum_and_parts_stay_unweighted() -> None:
    terms = {"near": term(weight=0.5), "far": term(sampler=everything, weight=2.0)}
    loss, parts = total(Objective(terms=terms, lambda_generation=10))
    everything_value = (700 + max(0, 100 - 700 + 500)) / 2
    assert parts["far"].item() == pytest.approx(everything_value)
    assert loss.item() == pytest.approx(0.5 * 700 + 2.0 * everything_value + 10 * 2.0)


def test_selection_leaves_out_questions_without_contrast_and_carries_no_gradient() -> None:
    scores = SCORES.clone().requires_grad_()
    objective = Objective(terms={"rank1": term()}, lambda_generation=0)
    chosen = objective.select(scores, RELEVANCE, MASK, generator=torch.Generator())
    assert chosen["rank1"].tolist() == [[True, True, False], [False, False, False]]
    loss, _ = objective(scores, RELEVANCE, chosen, None, one_key_score=400.0)
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


def test_generation_alone() -> None:
    loss, parts = total(Objective(terms={"off": term(weight=0)}, lambda_generation=3))
    assert (loss.item(), set(parts)) == (6.0, {"generation"})


def test_wrong_settings_say_so() -> None:
    with pytest.raises(ValueError, match=r"unit='keys'.*'score', 'one_key'"):
        term(unit="keys")
    with pytest.raises(ValueError, match=r"weight=-1"):
        term(weight=-1)
    with pytest.raises(ValueError, match=r"lambda_generation=nan"):
        Objective(terms={}, lambda_generation=float("nan"))
    with pytest.raises(ValueError, match="nothing would be trained"):
        Objective(terms={"rank1": term(weight=0)}, lambda_generation=0)
    with pytest.raises(ValueError, match="named 'generation'"):
        Objective(terms={"generation": term()}, lambda_generation=1)
    with pytest.raises(ValueError, match=r"loss\.lambda_generation=0"):
        total(Objective(terms={"rank1": term()}, lambda_generation=1), generation=None)


def composed(name: str, *overrides: str) -> Objective:
    with initialize_config_dir(version_base=None, config_dir=str(CONF)):
        config = compose(overrides=[f"+loss={name}", *overrides])
    objective = instantiate(config.loss.objective)
    assert isinstance(objective, Objective)
    return objective


def test_ltrgr_config_with_the_papers_numbers() -> None:
    objective = composed(
        "ltrgr", "loss.unit=score", "loss.margin=500", "loss.lambda_generation=1000"
    )
    assert [t.sampler.func for t in objective.terms.values()] == [top, random]
    loss, parts = total(objective)
    # only the first question has a contrast; its random negative is 900 or 100
    second = parts["rank2"].item()
    assert parts["rank1"].item() == 700
    assert second in (700.0, 0.0)
    assert loss.item() == pytest.approx(700 + second + 2000)


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


def test_lambda_in_keys_is_lambda_times_the_one_key_score() -> None:
    plain = Objective(terms={"rank1": term()}, lambda_generation=2.6)
    keyed = Objective(terms={"rank1": term()}, lambda_generation=2.6, generation_unit="one_key")
    assert keyed.needs_one_key_score
    apart = total(keyed)[0] - total(plain)[0]
    assert apart.item() == pytest.approx(2.6 * 2.0 * (400 - 1))
    with pytest.raises(ValueError, match="generation_unit='keys'"):
        Objective(terms={"rank1": term()}, lambda_generation=1, generation_unit="keys")


def test_a_ramp_turns_one_loss_into_another() -> None:
    """At the start only rank2 counts, twice; at the end only rank1; half-way both as they are."""
    curriculum, plain = composed("ltrgr_curriculum"), composed("ltrgr")
    chosen = plain.select(SCORES, RELEVANCE, MASK, generator=torch.Generator().manual_seed(0))
    given = {"one_key_score": 400.0}
    generation = torch.tensor(0.5)
    total, parts = plain(SCORES, RELEVANCE, chosen, generation, **given)
    rest = total - parts["rank1"] - parts["rank2"]
    for progress, rank1, rank2 in ((0.0, 0, 2), (0.5, 1, 1), (1.0, 2, 0)):
        ramped, same = curriculum(SCORES, RELEVANCE, chosen, generation, **given, progress=progress)
        assert same.keys() == parts.keys()
        expected = rest + rank1 * parts["rank1"] + rank2 * parts["rank2"]
        assert ramped.item() == pytest.approx(expected.item())
    with pytest.raises(ValueError, match="ramp"):
        Term(loss=lambda s, r, m: s.sum(), sampler=everything, ramp=(1.0,))
