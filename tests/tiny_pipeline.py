"""The whole pipeline in seconds."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from torch.optim import AdamW

from ltrgr.corpus.records import Corpus
from ltrgr.decoding.decoding_settings import DecodingSettings
from ltrgr.losses import Objective, Term, margin_loss, random_pair, top_pair
from ltrgr.pipeline.evaluate_stage import EvaluationSettings
from ltrgr.pipeline.pipeline import Pipeline
from ltrgr.pipeline.settings import (
    IndexSettings,
    MineSettings,
    PretrainSettings,
    RankSettings,
    WandbSettings,
)
from ltrgr.scoring.scoring_settings import ScoringSettings
from ltrgr.training.optimization import linear
from tiny_world import MINDER, QUIET, TARGETS, tiny_backbone


def adamw(lr: float) -> Any:
    """What `optimizer=adamw` makes of this rate."""
    return partial(AdamW, lr=lr, betas=(0.9, 0.999), weight_decay=0.01)


PRETRAINING = PretrainSettings(
    targets=TARGETS,
    steps=30,
    batch_size=16,
    optimizer=adamw(5e-3),
    scheduler=partial(linear, warmup_ratio=0.1),
    cross_attention_learning_rate=None,
    label_smoothing=0.1,
    gradient_clip_val=1.0,
    precision="32-true",
    seed=0,
    val_check_interval=10,
    dev_questions=8,
    monitor="dev/identifier_accuracy",
    patience=None,
)


def ranking(*, size: float = 100.0, **changes: Any) -> RankSettings:
    loss = partial(margin_loss, margin=size)
    settings = RankSettings(
        objective=Objective(
            terms={
                "top": Term(loss=loss, sampler=top_pair),
                "random": Term(loss=loss, sampler=random_pair),
            },
            lambda_generation=10.0,
        ),
        steps=12,
        batch_size=4,
        targets_per_question=2,
        optimizer=adamw(1e-3),
        scheduler=partial(linear, warmup_ratio=0.1),
        label_smoothing=0.1,
        gradient_clip_val=1.0,
        precision="32-true",
        val_check_interval=4,
        dev_questions=12,
        monitor="dev/mrr@10",
        patience=50,
        seed=0,
    )
    return replace(settings, **changes)


def pipeline(root: Path, corpus: Corpus, *, dropout: float = 0.1, **changes: Any) -> Pipeline:
    parts: dict[str, Any] = {
        "family": MINDER,
        "backbone": tiny_backbone(dropout=dropout),
        "scoring": ScoringSettings(),
        "decoding": DecodingSettings(num_beams=4),
        "indexing": IndexSettings(),
        "pretraining": PRETRAINING,
        "mining": MineSettings(passages=15, questions=40, seed=0),
        "ranking": ranking(),
        "evaluation": EvaluationSettings(split="test", passages=20, questions=None, k1=0.9, b=0.4),
    }
    return Pipeline(
        root=root,
        corpus=corpus,
        compute=QUIET,
        tracking=WandbSettings(mode="disabled", directory=root),
        **(parts | changes),
    )
