"""Stage 2 beyond the paper, on the whole pipeline: lists mined again, a scorer that is learned."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from ltrgr.corpus.records import Corpus
from ltrgr.losses import Against, Objective, Term, margin_mse, top_pair
from ltrgr.pipeline import rank_stage
from ltrgr.pipeline.describe import describe
from ltrgr.pipeline.pipeline import Pipeline
from ltrgr.retrieval.retriever import Retriever
from ltrgr.scoring.scoring_settings import ScoringSettings
from ltrgr.training.learning_to_rank import LearningToRank
from ltrgr.typed import SettingsError
from tiny_pipeline import pipeline, ranking

ALL = ("exponent", "coverage", "view_weights")
OFF = {"remine_every", "remine_questions", "learnable_parameters", "scoring_learning_rate"}


@pytest.fixture(scope="module")
def mined(tmp_path_factory: pytest.TempPathFactory, corpus: Corpus) -> Pipeline:
    """Index, stage 1 and mined lists, which all of these share."""
    built = pipeline(tmp_path_factory.mktemp("beyond"), corpus)
    built.mine()
    return built


def changed(mined: Pipeline, **changes: Any) -> Pipeline:
    return replace(mined, ranking=ranking(**changes))


def saved(directory: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """A stage 2's weights and its scoring."""
    scoring = json.loads((directory / "retriever.json").read_text())["scoring"]
    return Retriever.from_pretrained(directory).model.state_dict(), scoring


@pytest.fixture
def latest_is_best(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dev prefers every later checkpoint, so that the one kept is the last step's."""

    def rigged(self: Any) -> None:
        self.log("dev/mrr@10", float(self.global_step))
        self.metric.reset()

    monkeypatch.setattr(LearningToRank, "on_validation_epoch_end", rigged)


class Killed(BaseException):
    """Not caught by anybody, like a signal."""


def kill_at(step: int, patch: pytest.MonkeyPatch) -> None:
    honest = LearningToRank.training_step

    def training_step(self: Any, batch: Any, batch_idx: int) -> Any:
        if self.global_step == step:
            raise Killed
        return honest(self, batch, batch_idx)

    patch.setattr(LearningToRank, "training_step", training_step)


def test_what_is_off_has_no_part_in_a_name(mined: Pipeline) -> None:
    """Stage-2 models made before these settings existed are found again."""
    off = ranking(remine_questions=5, scoring_learning_rate=0.5)
    assert not OFF & set(describe(off))
    assert OFF & set(describe(ranking(remine_every=3))) == {
        "remine_every",
        "remine_questions",
    }
    on = [
        ranking(learnable_parameters=names)
        for names in (["coverage", "exponent"], ("exponent", "coverage"))
    ]
    assert describe(on[0])["learnable_parameters"] == ["exponent", "coverage"]
    assert describe(on[0]) == describe(on[1])
    names = {
        changed(mined, **changes).ranked.fingerprint
        for changes in (
            {},
            {"remine_every": 3},
            {"remine_every": 3, "remine_questions": 4},
            {"learnable_parameters": ALL},
            {"learnable_parameters": ALL, "scoring_learning_rate": 0.1},
        )
    }
    assert len(names) == 5


def test_lists_are_mined_by_the_model_of_their_step(
    mined: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every 5 of 12 steps, 4 questions each: before the steps 5 and 10, of at most 6 questions."""
    seen: list[tuple[int, torch.Tensor]] = []
    models: dict[int, torch.Tensor] = {}
    honest, train = rank_stage.Miner.__call__, LearningToRank.training_step

    def spy(self: Any, retriever: Any, chosen: Any, *, shown: bool) -> Any:
        seen.append((len(chosen), next(retriever.model.parameters()).detach().clone()))
        return honest(self, retriever, chosen, shown=shown)

    def step(self: Any, batch: Any, batch_idx: int) -> Any:
        models[self.global_step] = next(self.model.parameters()).detach().clone()
        return train(self, batch, batch_idx)

    monkeypatch.setattr(rank_stage.Miner, "__call__", spy)
    monkeypatch.setattr(LearningToRank, "training_step", step)
    directory = changed(mined, remine_every=5, remine_questions=6, seed=3).rank()
    assert [n for n, _ in seen] == [6, 6]
    assert torch.equal(seen[0][1], models[5])
    assert torch.equal(seen[1][1], models[10])
    assert not torch.equal(models[0], models[5])
    rows = [
        row
        for path in directory.glob("curves/*/metrics.csv")
        for row in csv.DictReader(path.read_text().splitlines())
        if row.get("remining/seconds")
    ]
    assert [row["step"] for row in rows] == ["5", "10"]
    for row in rows:
        n, seconds = float(row["remining/questions"]), float(row["remining/seconds"])
        assert n == 6
        assert float(row["remining/questions_per_second"]) == pytest.approx(n / seconds)


@pytest.mark.usefixtures("latest_is_best")
def test_new_lists_change_what_is_learned_and_only_then(mined: Pipeline) -> None:
    never = saved(changed(mined, remine_every=12).rank())[0]  # the first boundary is the end
    plain = saved(changed(mined).rank())[0]
    other = saved(changed(mined, remine_every=4).rank())[0]
    assert all(torch.equal(never[name], plain[name]) for name in plain)
    assert any(not torch.equal(other[name], plain[name]) for name in plain)


@pytest.mark.usefixtures("latest_is_best")
@pytest.mark.parametrize(
    ("every", "step", "learned"),
    [
        (3, 7, ()),  # goes on at 4 with lists that the model of step 3 mined
        (3, 10, ALL),  # at 8, in the period of step 6; the killed run had mined for 9, too
        (4, 6, ()),  # at 4, where lists are mined with the checkpoint's model
    ],
)
def test_a_killed_run_ends_like_an_uninterrupted_one(
    every: int, step: int, learned: tuple[str, ...], mined: Pipeline
) -> None:
    settings = {"remine_every": every, "learnable_parameters": learned, "seed": 40 + step}
    whole = changed(mined, **settings)
    weights, scoring = saved(whole.rank())
    assert bool(learned) is (scoring["exponent"] != 2.0)
    whole.ranked.directory.rename(mined.root / f"whole{every}-{step}")
    resumed = changed(mined, **settings)
    with pytest.MonkeyPatch.context() as patch:
        kill_at(step, patch)
        with pytest.raises(Killed):
            resumed.rank()
    found, found_scoring = saved(resumed.rank())
    done = json.loads((resumed.ranked.directory / "DONE.json").read_text())
    assert done["resumed"] is True
    assert found_scoring == scoring
    for name, expected in weights.items():
        torch.testing.assert_close(found[name], expected, rtol=0, atol=0)


def test_a_loss_that_compares_with_the_first_lists_is_refused() -> None:
    loss = Against(loss=margin_mse, inputs={"teacher": "mined_score"})
    objective = Objective(terms={"a": Term(loss=loss, sampler=top_pair)}, lambda_generation=0.0)
    with pytest.raises(SettingsError, match="mined_score"):
        ranking(objective=objective, remine_every=3)
    with pytest.raises(SettingsError, match=r"rank\.remine_every=0"):
        ranking(remine_every=0)


def test_search_uses_what_was_learned(mined: Pipeline, corpus: Corpus) -> None:
    built = changed(mined, learnable_parameters=ALL, scoring_learning_rate=0.5)
    directory = built.rank()
    learned = Retriever.from_pretrained(directory).scoring
    assert learned.exponent != pytest.approx(2.0, abs=0.01)
    assert set(learned.view_weights) == {"title", "body", "query"}
    assert built.open("rank").scoring == learned
    assert built.open("pretrain").scoring == built.scoring == ScoringSettings()
    texts = [query.text for query in corpus.test.queries]
    expected = built.open("rank").search(texts, k=20)
    lines = (built.evaluate("rank") / "run.trec").read_text().splitlines()
    scores = [float(line.split()[4]) for line in lines]
    assert scores == pytest.approx([h.score for hits in expected for h in hits], rel=1e-4)
    plain = replace(built, evaluation=replace(built.evaluation, scoring=ScoringSettings()))
    assert plain.ranked.fingerprint == built.ranked.fingerprint
    other = (plain.evaluate("rank") / "run.trec").read_text().splitlines()
    assert other != lines
