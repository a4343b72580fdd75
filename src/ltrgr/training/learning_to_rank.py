"""Stage 2: learning to rank passages through their identifiers (docs/method.md, section 9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from pytorch_lightning import LightningModule
from torch import Tensor
from torchmetrics import Metric

from ltrgr.data.rank_list_batch import RankListBatch
from ltrgr.decoding.model import cumulative_log_probabilities, encode
from ltrgr.losses.bound_objective import BoundObjective
from ltrgr.scoring.differentiable import coverage_at, passage_scores
from ltrgr.scoring.scoring_settings import ScoringSettings
from ltrgr.training.identifier_pretraining import generation_loss
from ltrgr.training.learnable_scoring import LearnableScoring
from ltrgr.training.optimization import (
    MakeOptimizer,
    MakeScheduler,
    lightning_optimizer,
    parameter_groups,
)

SearchDev = Callable[[Tensor], tuple[Tensor, Tensor]]
"""dev question positions [B] -> (relevance of the ranked passages [B, k], number relevant [B])"""


def rank_list_scores(
    model: Any,
    batch: RankListBatch,
    *,
    scoring: ScoringSettings,
    view_weights: Tensor,
    view_offsets: Tensor,
    n_tokens: int,
    exponent: Tensor | None = None,
    coverage: Tensor | None = None,
) -> Tensor:
    """Differentiable s(q, p) [B, P]; it equals the search score (law 1 in docs/method.md).

    The encoder runs once per (question, view), the decoder once per sequence of nested keys.

    Args:
        scoring: as the lists were mined with.
        view_weights, view_offsets: [W] of the family's views.
        n_tokens: N, tokens in the corpus.
        exponent, coverage: [] learned ones; None: as in ``scoring``.
    """
    running = cumulative_log_probabilities(  # [S, T] log p of the first t tokens
        model,
        encode(model, batch.prompt_ids, batch.prompt_mask),
        batch.prompt_mask,
        batch.labels,
        owner=batch.sequence_prompt,
    )
    log_probability = running[batch.key_sequence, batch.key_length - 1]  # [n]
    return passage_scores(
        log_probability,
        batch.key_count,
        view_weights[batch.key_view] * batch.key_factor.to(view_weights),
        view_offsets[batch.key_view],
        batch.key_index,
        batch.coverage
        if coverage is None
        else coverage_at(coverage, batch.coverage, mined_at=scoring.coverage),
        n_tokens=n_tokens,
        exponent=exponent,
        settings=scoring,
    )


class LearningToRank(LightningModule):
    """Optimises the ranking itself: objective = rank losses + lambda * L_gen.

    The model comes in evaluation mode and stays in it: without dropout the scores that are trained
    are the scores of search (law 1 in docs/method.md).

    Args:
        search_dev, metric: validation by retrieval on dev; the metric names what is logged as
            ``dev/<name>``.
        learnable_scoring: the scoring that the lists were mined with; some numbers may be learned.
        optimizer: makes the optimizer from parameter groups.
        scheduler: makes the schedule of the learning rate over ``steps`` steps.
        scoring_learning_rate: of the learned numbers of the scoring.
    """

    def __init__(
        self,
        *,
        model: Any,
        objective: BoundObjective,
        learnable_scoring: LearnableScoring,
        n_tokens: int,
        search_dev: SearchDev,
        metric: Metric,
        optimizer: MakeOptimizer,
        scheduler: MakeScheduler,
        steps: int,
        label_smoothing: float,
        scoring_learning_rate: float = 0.0,
    ) -> None:
        super().__init__()
        self.model, self.objective, self.learnable_scoring = model, objective, learnable_scoring
        self.n_tokens, self.label_smoothing = n_tokens, label_smoothing
        self.search_dev, self.metric = search_dev, metric
        self.optimizer, self.scheduler, self.steps = optimizer, scheduler, steps
        self.scoring_learning_rate = scoring_learning_rate

    def scores(self, batch: RankListBatch) -> Tensor:
        """Differentiable scores [B, P]."""
        return rank_list_scores(
            self.model,
            batch,
            scoring=self.learnable_scoring.given,
            view_weights=self.learnable_scoring.view_weights,
            view_offsets=self.learnable_scoring.offsets,
            n_tokens=self.n_tokens,
            exponent=self.learnable_scoring.exponent,
            coverage=self.learnable_scoring.coverage,
        )

    def training_step(self, batch: RankListBatch, batch_idx: int) -> Tensor:
        """The objective of one batch, with its parts and the score scale in the log."""
        scores = self.scores(batch) if batch.chosen else batch.mined_score  # [B, P]
        generation = None  # or L_gen []
        if batch.generation is not None:
            generation = generation_loss(
                self.model, batch.generation, label_smoothing=self.label_smoothing
            )
        loss, parts = self.objective(  # [], {term: []}
            scores,
            batch.relevance,
            batch.chosen,
            generation,
            context={"mined_score": batch.mined_score, **batch.teacher},
            progress=min(1.0, self.global_step / max(1, self.steps - 1)),
        )
        self._log_step(batch, scores.detach(), loss, parts)
        return loss

    def _log_step(
        self, batch: RankListBatch, scores: Tensor, loss: Tensor, parts: dict[str, Tensor]
    ) -> None:
        values = {
            f"train/{n}": value
            for n, value in {**parts, **self.learnable_scoring.figures()}.items()
        }
        if batch.chosen:
            values["train/one_key_score"] = torch.tensor(self.objective.one_key_score)
            seen = torch.stack(list(batch.chosen.values())).any(0)  # [B, P]
            values["train/score_positive"] = scores[seen & batch.relevance].mean()
            values["train/score_negative"] = scores[seen & ~batch.relevance].mean()
            values["train/distinct_keys"] = torch.tensor(float(len(batch.key_sequence)))
            values["train/decoder_sequences"] = torch.tensor(float(len(batch.labels)))
            values["train/encoder_passes"] = torch.tensor(float(len(batch.prompt_ids)))
        n = len(batch.relevance)
        self.log("train/loss", loss, prog_bar=True, batch_size=n)
        self.log_dict(values, batch_size=n)

    def validation_step(self, batch: Tensor, batch_idx: int) -> None:
        """Search a few dev questions with the current parameters."""
        relevance, n_relevant = self.search_dev(batch)  # on the CPU, where passages are scored
        self.metric.update(relevance.to(self.device), n_relevant.to(self.device))

    def on_validation_epoch_end(self) -> None:
        """Log the dev figures that choose the checkpoint."""
        self.log_dict({f"dev/{k}": v for k, v in self.metric.compute().items()}, prog_bar=True)
        self.metric.reset()

    def configure_optimizers(self) -> Any:
        """The optimizer and its schedule.

        The learned numbers of the scoring have their own learning rate and no weight decay.
        """
        groups = parameter_groups(self.model)
        if learned := list(self.learnable_scoring.parameters()):
            groups.append(
                {"params": learned, "lr": self.scoring_learning_rate, "weight_decay": 0.0}
            )
        return lightning_optimizer(
            groups, optimizer=self.optimizer, scheduler=self.scheduler, steps=self.steps
        )
