"""Stage 1 under validation: what dev chooses, what a resume remembers, what stays undisturbed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from ltrgr.corpus.records import Corpus, Split
from ltrgr.pipeline.generation_check import Validation
from ltrgr.retrieval.retriever import Retriever
from ltrgr.training.identifier_pretraining import IdentifierPretraining
from ltrgr.typed import SettingsError
from tiny_pipeline import PRETRAINING, pipeline

FIGURE = "dev/identifier_accuracy"
Weights = dict[str, torch.Tensor]
Patch = pytest.MonkeyPatch


class Killed(BaseException):
    """Not caught by anybody, like a signal."""


def same(one: Weights, other: Weights) -> bool:
    return all(torch.equal(one[name], other[name]) for name in other)


def kept(directory: Path) -> Weights:
    return dict(Retriever.from_pretrained(directory).model.state_dict())


def rig(patch: Patch, figures: Mapping[int, float]) -> dict[int, Weights]:
    """Dev says ``figures[step]``; returns the weights at each validation."""
    seen: dict[int, Weights] = {}

    def rigged_epoch_end(self: Any) -> None:
        seen[self.global_step] = {k: v.clone() for k, v in self.model.state_dict().items()}
        self.log(FIGURE, figures[self.global_step])
        self.shares.reset()

    patch.setattr(IdentifierPretraining, "on_validation_epoch_end", rigged_epoch_end)
    return seen


def watch_steps(patch: Patch, look: Callable[[Any], None]) -> None:
    honest = IdentifierPretraining.training_step

    def training_step(self: Any, batch: Any, batch_idx: int) -> Any:
        look(self)
        return honest(self, batch, batch_idx)

    patch.setattr(IdentifierPretraining, "training_step", training_step)


def test_dev_chooses_among_all_validations_the_last_step_included(
    corpus: Corpus, tmp_path: Path, monkeypatch: Patch
) -> None:
    """25 steps, a validation every 10: at 10, 20 and 25."""
    for figures, best in (({10: 0.2, 20: 0.9, 25: 0.5}, 20), ({10: 0.2, 20: 0.3, 25: 0.5}, 25)):
        with monkeypatch.context() as patch:
            seen = rig(patch, figures)
            settings = replace(PRETRAINING, steps=25)
            model = pipeline(tmp_path / str(best), corpus, pretraining=settings).pretrain()
        assert list(seen) == [10, 20, 25]
        assert same(seen[best], kept(model))
        assert not same(seen[10], kept(model))
        stored = json.loads((model / "validation.json").read_text())
        assert stored["step"] == best
        assert stored["monitor"] == FIGURE
        found = [(one["step"], one["metrics"][FIGURE]) for one in stored["history"]]
        assert found == [(step, pytest.approx(value)) for step, value in figures.items()]


@pytest.mark.parametrize("step", [10, 14, 22])
def test_a_killed_run_remembers_what_dev_had_chosen(
    step: int, corpus: Corpus, tmp_path: Path, monkeypatch: Patch
) -> None:
    """The best validation lies before the kill, the history holds each validation once."""
    seen = rig(monkeypatch, {10: 0.9, 20: 0.2, 25: 0.1})
    resumed = pipeline(tmp_path, corpus, pretraining=replace(PRETRAINING, steps=25))

    def kill(module: Any) -> None:
        if module.global_step == step:
            raise Killed

    with monkeypatch.context() as patch:
        watch_steps(patch, kill)
        with pytest.raises(Killed):
            resumed.pretrain()
    model = resumed.pretrain()
    assert same(seen[10], kept(model))
    found = Validation.load(model)
    assert found is not None
    assert [one["step"] for one in found.history] == [10, 20, 25]


def test_a_run_killed_after_its_last_validation_only_saves(
    corpus: Corpus, tmp_path: Path, monkeypatch: Patch
) -> None:
    seen = rig(monkeypatch, {10: 0.1, 20: 0.9, 25: 0.2})
    resumed = pipeline(tmp_path, corpus, pretraining=replace(PRETRAINING, steps=25))

    def killed(self: Any, directory: Path) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Validation, "save", killed)
        with pytest.raises(Killed):
            resumed.pretrain()
    watch_steps(monkeypatch, lambda module: pytest.fail("a step was taken again"))
    assert same(seen[20], kept(resumed.pretrain()))


def test_validation_leaves_training_as_it_was(
    corpus: Corpus, tmp_path: Path, monkeypatch: Patch
) -> None:
    """Dropout of 0.1: the same weights at the end, however often dev was asked."""
    ends: list[Weights] = []
    for every in (3, 12):
        modes: list[bool] = []
        settings = replace(PRETRAINING, steps=12, val_check_interval=every)
        asked = IdentifierPretraining.on_validation_epoch_end
        weights: dict[int, Weights] = {}

        def spy(self: Any, asked: Any = asked, weights: Any = weights) -> None:
            weights[self.global_step] = {k: v.clone() for k, v in self.model.state_dict().items()}
            asked(self)

        with monkeypatch.context() as patch:
            patch.setattr(IdentifierPretraining, "on_validation_epoch_end", spy)
            watch_steps(patch, lambda module, modes=modes: modes.append(module.model.training))
            pipeline(tmp_path / str(every), corpus, pretraining=settings).pretrain()
        assert modes == [True] * 12
        assert list(weights) == list(range(every, 13, every))
        ends.append(weights[12])
    assert same(*ends)


def test_patience_stops_after_validations_without_a_better_one(
    corpus: Corpus, tmp_path: Path, monkeypatch: Patch
) -> None:
    figures = {2: 0.1, 4: 0.3, 6: 0.3, 8: 0.2, 10: 0.9, 12: 0.9}
    seen = rig(monkeypatch, figures)
    settings = replace(PRETRAINING, steps=12, val_check_interval=2, patience=2)
    model = pipeline(tmp_path, corpus, pretraining=settings).pretrain()
    assert list(seen) == [2, 4, 6, 8]  # 6 and 8 are not above the 0.3 of 4
    assert same(seen[6], kept(model))  # and 6, its equal, is the later one


def test_of_a_model_that_generates_nothing_the_last_weights_are_kept(
    corpus: Corpus, tmp_path: Path, monkeypatch: Patch
) -> None:
    seen = rig(monkeypatch, {10: 0.0, 20: 0.0, 25: 0.0})
    model = pipeline(tmp_path, corpus, pretraining=replace(PRETRAINING, steps=25)).pretrain()
    assert same(seen[25], kept(model))


def test_a_figure_that_is_not_logged_is_refused_before_the_first_step(
    corpus: Corpus, tmp_path: Path, monkeypatch: Patch
) -> None:
    watch_steps(monkeypatch, lambda module: pytest.fail("training began"))
    settings = replace(PRETRAINING, monitor="dev/identifier_accuracy/titel")
    with pytest.raises(SettingsError, match=r"expected one of dev/identifier_accuracy, dev/token"):
        pipeline(tmp_path, corpus, pretraining=settings).pretrain()


def test_without_dev_questions_the_last_weights_stay_and_nothing_is_judged(
    corpus: Corpus, tmp_path: Path
) -> None:
    blind = replace(corpus, dev=Split((), {}), checksum="blind")
    model = pipeline(tmp_path, blind, pretraining=replace(PRETRAINING, steps=5)).pretrain()
    assert Validation.load(model) is None
    assert (model / "retriever.json").is_file()
