"""The scorer's learned numbers: first values, ranges, and law 1 (docs/method.md) at any of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from ltrgr.corpus.records import Corpus
from ltrgr.losses import Objective, Term, all_passages
from ltrgr.retrieval.retriever import Retriever
from ltrgr.scoring.scoring_settings import ScoringSettings
from ltrgr.training.learnable_scoring import LEARNABLE, LearnableScoring
from ltrgr.training.learning_to_rank import rank_list_scores
from mined_lists import mine_some, sampler_over

VIEWS = ["title", "body"]


def learnable_scoring(
    scoring: ScoringSettings | None = None, learned: tuple[str, ...] = LEARNABLE
) -> LearnableScoring:
    return LearnableScoring(scoring or ScoringSettings(), views=VIEWS, learnable_parameters=learned)


def test_learned_numbers_begin_where_the_scoring_is() -> None:
    begins = ScoringSettings(exponent=1.5, coverage=0.3, view_weights={"body": 0.25})
    now = learnable_scoring(begins).scoring()
    assert now.exponent == pytest.approx(1.5, rel=1e-6)
    assert now.coverage == pytest.approx(0.3, rel=1e-6)
    assert now.view_weights == {"title": pytest.approx(1.0), "body": pytest.approx(0.25)}
    assert (now.smoothing, now.max_candidate_count) == (
        begins.smoothing,
        begins.max_candidate_count,
    )


def test_each_number_is_the_softplus_or_sigmoid_of_its_parameter() -> None:
    learned = learnable_scoring()
    with torch.no_grad():
        learned.raw["exponent"].fill_(0.0)  # ln(1 + e^0) = ln 2
        learned.raw["coverage"].fill_(-np.log(3.0))  # 1 / (1 + 3)
        learned.raw["view_weights"].copy_(torch.tensor([-50.0, 50.0]))
    now = learned.scoring()
    assert now.exponent == pytest.approx(np.log(2.0))
    assert now.coverage == pytest.approx(0.25)
    assert 0 < now.view_weights["title"] < 1e-20
    assert now.view_weights["body"] == 50.0
    shown = {name: float(value) for name, value in learned.figures().items()}
    assert shown == {
        "exponent": now.exponent,
        "coverage": now.coverage,
        "view_weight_title": now.view_weights["title"],
        "view_weight_body": now.view_weights["body"],
    }


def test_nothing_learned_leaves_the_scoring_itself_and_no_state() -> None:
    given = ScoringSettings(view_weights={"body": 0.5})
    fixed = learnable_scoring(given, ())
    assert fixed.scoring() is given
    assert fixed.view_weights.tolist() == [1.0, 0.5]
    assert (fixed.exponent, fixed.coverage) == (None, None)
    assert list(fixed.parameters()) == []
    assert fixed.state_dict() == {}  # checkpoints of before are read as ever


@pytest.mark.parametrize(
    ("scoring", "learned", "said"),
    [
        (ScoringSettings(coverage=0.0), "coverage", r"scoring\.coverage begins at 0\.0"),
        (ScoringSettings(coverage=1.0), "coverage", "above 0 and below 1"),
        (ScoringSettings(view_weights={"body": 0.0}), "view_weights", "leave it out"),
        (ScoringSettings(transform=np.sqrt), "exponent", r"scoring\.transform"),
        (ScoringSettings(), "smoothing", "'exponent', 'coverage', 'view_weights'"),
    ],
)
def test_what_cannot_be_learned_is_refused(
    scoring: ScoringSettings, learned: str, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        learnable_scoring(scoring, (learned,))


def test_covers_mined_at_another_b_come_back_to_the_first() -> None:
    """Mined at b = 0.25: a key of four tokens, one covered, has 1 - 0.25 / 4; at 0.8: 1 - 0.2."""
    learned = learnable_scoring()
    with torch.no_grad():
        learned.raw["coverage"].fill_(-np.log(3.0))
    covers = np.array([1.0, 1 - 0.25 / 4, 0.75], np.float32)
    np.testing.assert_allclose(learned.as_given(covers), [1.0, 0.8, 0.2], rtol=1e-6)
    assert learnable_scoring(learned=("exponent",)).as_given(covers) is covers


def test_law_one_holds_at_learned_numbers(
    retriever: Retriever, corpus: Corpus, minder_index: Path, tmp_path: Path
) -> None:
    """Search with what was learned, from its saved form, and training give the same scores."""
    names = retriever.vocabulary.family.names
    learned = LearnableScoring(ScoringSettings(), views=names, learnable_parameters=LEARNABLE)
    with torch.no_grad():
        learned.raw["exponent"].add_(-0.7)
        learned.raw["coverage"].add_(-1.1)
        learned.raw["view_weights"].add_(torch.tensor([0.9, -0.4, 0.3]))
    retriever.with_(scoring=learned.scoring()).save(tmp_path, index=str(minder_index))
    assert json.loads((tmp_path / "retriever.json").read_text())["scoring"]["exponent"] < 1.5
    opened = Retriever.from_pretrained(tmp_path)
    assert opened.scoring == learned.scoring()
    mined = mine_some(opened, corpus, questions=40, k=20)
    first = mine_some_at(ScoringSettings(), opened, corpus)
    assert not np.array_equal(mined.passage, first.passage)  # it matters which scoring mined
    object.__setattr__(mined, "coverage", learned.as_given(mined.coverage))
    objective = Objective(
        terms={"all": Term(loss=lambda s, r, m: s.sum(), sampler=all_passages)},
        lambda_generation=0.0,
    )
    sampler = sampler_over(
        mined, opened, corpus, select=objective.select, index=minder_index, each=0
    )
    batch = sampler.batch(np.flatnonzero(mined.has_both_labels), np.random.default_rng(0))
    scores = rank_list_scores(
        opened.model,
        batch,
        scoring=learned.given,
        view_weights=learned.view_weights,
        view_offsets=learned.offsets,
        n_tokens=opened.index.n_tokens,
        exponent=learned.exponent,
        coverage=learned.coverage,
    )
    chosen = batch.chosen["all"]
    assert chosen.sum() > 100
    error = ((scores - batch.mined_score).abs() / batch.mined_score)[chosen].max()
    assert error <= 1e-4
    slopes = torch.autograd.grad(scores[chosen].mean(), list(learned.raw.values()))
    assert all((slope[:2] != 0).all() for slope in slopes)  # this model finds no whole query


def mine_some_at(scoring: ScoringSettings, retriever: Retriever, corpus: Corpus):
    """The lists that another scoring gives."""
    return mine_some(retriever.with_(scoring=scoring), corpus, questions=40, k=20)
