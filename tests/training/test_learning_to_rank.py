"""Stage 2 on one batch: the gradient arrives and orders the passages."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.optim import AdamW

from ltrgr.corpus.records import Corpus
from ltrgr.data.rank_list_batch import RankListBatch
from ltrgr.evaluation.online import OnlineRetrieval
from ltrgr.losses import Objective, Term, margin_loss, top_pair
from ltrgr.retrieval.retriever import Retriever
from ltrgr.training.identifier_pretraining import generation_loss
from ltrgr.training.learnable_scoring import LEARNABLE, LearnableScoring
from ltrgr.training.learning_to_rank import LearningToRank
from ltrgr.training.optimization import linear

STEPS = 8


def hinge(*, size: float) -> Any:
    def loss(scores: Any, relevance: Any, mask: Any) -> Any:
        return margin_loss(scores, relevance, mask, margin=size)

    return loss


def objective(*, lambda_generation: float = 0.0, weight: float = 1.0) -> Objective:
    return Objective(
        terms={"top": Term(loss=hinge(size=500.0), sampler=top_pair, weight=weight)},
        lambda_generation=lambda_generation,
    )


class Kit:
    """The module and one batch of it."""

    def __init__(
        self,
        retriever: Retriever,
        corpus: Corpus,
        index: Path,
        chosen: Objective,
        each: int = 0,
        learned: Sequence[str] = (),
    ) -> None:
        from mined_lists import mine_some, sampler_over

        self.mined = mine_some(retriever, corpus, questions=24, k=12)
        sampler = sampler_over(
            self.mined, retriever, corpus, select=chosen.select, index=index, each=each
        )
        rows = np.flatnonzero(self.mined.has_both_labels)[:6]
        self.batch: RankListBatch = sampler.batch(rows, np.random.default_rng(0))
        self.logged: dict[str, float] = {}
        self.module = LearningToRank(
            model=deepcopy(retriever.model),
            objective=chosen.in_units_of(1.0),
            learnable_scoring=LearnableScoring(
                retriever.scoring,
                views=retriever.vocabulary.family.names,
                learnable_parameters=learned,
            ),
            scoring_learning_rate=1e-2,
            n_tokens=retriever.index.n_tokens,
            search_dev=lambda rows: (
                torch.tensor([[False, True], [True, False]])[rows],
                torch.tensor([1, 2])[rows],
            ),
            metric=OnlineRetrieval(),
            optimizer=partial(AdamW, lr=1e-3, weight_decay=0.0),
            scheduler=partial(linear, warmup_ratio=0.0),
            steps=1000,
            label_smoothing=0.1,
        )
        self.module.log = self._log  # type: ignore[assignment,method-assign]
        self.module.log_dict = self._log_dict  # type: ignore[assignment,method-assign]

    def _log(self, name: str, value: Any, **_: Any) -> None:
        self.logged[name] = float(value)

    def _log_dict(self, values: dict[str, Any], **_: Any) -> None:
        for name, value in values.items():
            self._log(name, value)

    def gap(self) -> torch.Tensor:
        """s(q, p+) - s(q, p-) of the chosen pair of each question."""
        with torch.no_grad():
            scores = self.module.scores(self.batch)
        chosen = self.batch.chosen["top"]
        positive = (scores * (chosen & self.batch.relevance)).sum(1)
        return positive - (scores * (chosen & ~self.batch.relevance)).sum(1)


@pytest.fixture
def kit(retriever: Retriever, corpus: Corpus, minder_index: Path) -> Kit:
    return Kit(retriever, corpus, minder_index, objective())


def test_loss_is_the_hinge_of_the_gap(kit: Kit) -> None:
    loss = kit.module.training_step(kit.batch, 0)
    expected = torch.relu(500.0 - kit.gap()).mean()
    assert float(loss.detach()) == pytest.approx(float(expected), rel=1e-5)
    assert kit.logged["train/loss"] == pytest.approx(float(expected), rel=1e-5)
    assert kit.logged["train/top"] == pytest.approx(float(expected), rel=1e-5)


def test_the_gradient_reaches_every_part_of_the_model(kit: Kit) -> None:
    kit.module.training_step(kit.batch, 0).backward()
    for name, parameter in kit.module.model.named_parameters():
        assert parameter.grad is not None, name
        if "k_proj.bias" not in name:  # a key's bias shifts all attention alike: no gradient
            assert parameter.grad.abs().sum() > 0, name


def test_a_few_steps_lift_positives_over_negatives(kit: Kit) -> None:
    before = kit.gap()
    optimiser = kit.module.configure_optimizers()["optimizer"]
    for step in range(STEPS):
        loss = kit.module.training_step(kit.batch, step)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    after = kit.gap()
    assert after.mean() > before.mean() + 1.0
    assert (after > before).float().mean() > 0.5


def test_loss_adds_lambda_times_generation(
    retriever: Retriever, corpus: Corpus, minder_index: Path
) -> None:
    both = Kit(retriever, corpus, minder_index, objective(lambda_generation=3.0), each=2)
    loss = float(both.module.training_step(both.batch, 0).detach())
    assert both.batch.generation is not None
    generation = float(
        generation_loss(both.module.model, both.batch.generation, label_smoothing=0.1).detach()
    )
    rank = float(torch.relu(500.0 - both.gap()).mean())
    assert loss == pytest.approx(rank + 3.0 * generation, rel=1e-5)
    assert both.logged["train/generation"] == pytest.approx(generation, rel=1e-5)


def test_without_rank_terms_only_generation_is_left(
    retriever: Retriever, corpus: Corpus, minder_index: Path
) -> None:
    alone = Kit(
        retriever, corpus, minder_index, objective(lambda_generation=2.0, weight=0.0), each=2
    )
    assert alone.batch.chosen == {}
    loss = alone.module.training_step(alone.batch, 0)
    generation = generation_loss(alone.module.model, alone.batch.generation, label_smoothing=0.1)  # type: ignore[arg-type]
    assert float(loss.detach()) == pytest.approx(2.0 * float(generation.detach()), rel=1e-6)
    loss.backward()


def test_the_log_tells_work_and_scale(kit: Kit) -> None:
    kit.module.training_step(kit.batch, 0)
    assert kit.logged["train/decoder_sequences"] == len(kit.batch.labels)
    assert kit.logged["train/distinct_keys"] == len(kit.batch.key_sequence)
    assert kit.logged["train/encoder_passes"] == len(kit.batch.prompt_ids)
    assert kit.logged["train/decoder_sequences"] < kit.logged["train/distinct_keys"]
    with torch.no_grad():
        scores = kit.module.scores(kit.batch)
    positive = scores[kit.batch.chosen["top"] & kit.batch.relevance].mean()
    assert kit.logged["train/score_positive"] == pytest.approx(float(positive), rel=1e-5)


def test_validation_reports_retrieval_on_dev_and_starts_afresh(kit: Kit) -> None:
    """Ranks 2 and 1 of the first relevant passage: MRR 3/4, hits@1 1/2, recall (1 + 1/2) / 2."""
    for _ in range(2):
        kit.module.validation_step(torch.tensor([0]), 0)
        kit.module.validation_step(torch.tensor([1]), 1)
        kit.module.on_validation_epoch_end()
        assert kit.logged["dev/mrr@10"] == pytest.approx(0.75)
        assert kit.logged["dev/hits@1"] == pytest.approx(0.5)
        assert kit.logged["dev/recall@20"] == pytest.approx(0.75)


def test_dev_figures_reach_the_metric_on_the_device_of_the_model(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Search gives its lists on the CPU; Lightning moves the metric to the GPU with the model."""
    devices: list[str] = []
    monkeypatch.setattr(type(kit.module), "device", torch.device("meta"))
    monkeypatch.setattr(
        kit.module.metric, "update", lambda *parts: devices.extend(p.device.type for p in parts)
    )
    kit.module.validation_step(torch.tensor([0]), 0)
    assert devices == ["meta", "meta"]


def test_learned_numbers_start_from_the_same_loss_and_move(
    kit: Kit, retriever: Retriever, corpus: Corpus, minder_index: Path
) -> None:
    learned = Kit(retriever, corpus, minder_index, objective(), learned=LEARNABLE)
    with torch.no_grad():
        torch.testing.assert_close(
            learned.module.scores(kit.batch), kit.module.scores(kit.batch), rtol=1e-5, atol=1e-4
        )
    optimiser = learned.module.configure_optimizers()["optimizer"]
    group = optimiser.param_groups[-1]
    assert (group["initial_lr"], group["weight_decay"], len(group["params"])) == (1e-2, 0.0, 3)
    before = {
        name: raw.detach().clone() for name, raw in learned.module.learnable_scoring.raw.items()
    }
    learned.module.training_step(learned.batch, 0).backward()
    optimiser.step()
    assert learned.logged["train/exponent"] == pytest.approx(2.0)
    assert learned.logged["train/coverage"] == pytest.approx(0.8)
    assert learned.logged["train/view_weight_query"] == pytest.approx(1.0)
    for name, raw in learned.module.learnable_scoring.raw.items():
        assert raw.grad is not None
        moved = (raw.detach() - before[name]).abs()
        # Adam's first step is as long as its rate, whatever the gradient; views without a key stay.
        torch.testing.assert_close(moved, 1e-2 * (raw.grad != 0), rtol=1e-3, atol=1e-6)
        assert moved[0] > 0
