"""The whole road in seconds."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ltrgr.corpus.records import Corpus
from ltrgr.losses.margin import margin
from ltrgr.losses.objective import Objective, Term
from ltrgr.losses.samplers import random, top
from ltrgr.pipeline.evaluating import Evaluation
from ltrgr.pipeline.road import Road
from ltrgr.pipeline.settings import Indexing, Mining, Pretraining, Ranking, Tracking
from ltrgr.retrieval.settings import Decoding
from ltrgr.scoring.settings import Scoring
from tiny_world import MINDER, QUIET, TARGETS, tiny_backbone

PRETRAINING = Pretraining(
    targets=TARGETS,
    steps=30,
    batch_size=16,
    learning_rate=5e-3,
    cross_attention_rate=None,
    weight_decay=0.01,
    warm_up=0.1,
    label_smoothing=0.1,
    clip=1.0,
    precision="32-true",
    seed=0,
    validate_every=10,
    dev_questions=8,
    monitor="dev/identifier_accuracy",
    patience=None,
)


def ranking(*, size: float = 100.0, **changes: Any) -> Ranking:
    loss = partial(margin, margin=size)
    settings = Ranking(
        objective=Objective(
            terms={"top": Term(loss=loss, sampler=top), "random": Term(loss=loss, sampler=random)},
            lambda_generation=10.0,
        ),
        steps=12,
        batch_size=4,
        targets_per_question=2,
        learning_rate=1e-3,
        weight_decay=0.01,
        warm_up=0.1,
        label_smoothing=0.1,
        clip=1.0,
        precision="32-true",
        validate_every=4,
        dev_questions=12,
        monitor="dev/mrr@10",
        patience=50,
        seed=0,
    )
    return replace(settings, **changes)


def road(root: Path, corpus: Corpus, *, dropout: float = 0.1, **changes: Any) -> Road:
    parts: dict[str, Any] = {
        "family": MINDER,
        "backbone": tiny_backbone(dropout=dropout),
        "scoring": Scoring(),
        "decoding": Decoding(beams=4),
        "indexing": Indexing(),
        "pretraining": PRETRAINING,
        "mining": Mining(passages=15, questions=40, seed=0),
        "ranking": ranking(),
        "evaluation": Evaluation(split="test", passages=20, questions=None, k1=0.9, b=0.4),
    }
    return Road(
        root=root,
        corpus=corpus,
        compute=QUIET,
        tracking=Tracking(mode="disabled", directory=root),
        **(parts | changes),
    )
