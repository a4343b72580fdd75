"""Stage "rank": learning to rank on mined lists, the best checkpoint chosen on dev."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning.loggers import Logger, WandbLogger
from torch import Tensor

from ltrgr.corpus.records import Corpus
from ltrgr.data.rank_list_datamodule import RankListDataModule
from ltrgr.data.rank_list_sampler import RankListSampler
from ltrgr.data.remining import Remining
from ltrgr.evaluation.online import OnlineRetrieval
from ltrgr.identifiers.tokenised import tokenise_questions
from ltrgr.pipeline.artefact import SCRATCH, Artefact
from ltrgr.pipeline.checkpoint_choice import Choice
from ltrgr.pipeline.describe import describe
from ltrgr.pipeline.divergence import expect_finite
from ltrgr.pipeline.index_stage import open_serialised
from ltrgr.pipeline.mine_stage import Miner, relevance_of
from ltrgr.pipeline.pretrain_stage import target_sampler
from ltrgr.pipeline.seeding import seed_everything
from ltrgr.pipeline.settings import ComputeSettings, PretrainSettings, RankSettings, WandbSettings
from ltrgr.pipeline.trainer import fit, loggers, make_trainer
from ltrgr.retrieval.mined import MinedLists
from ltrgr.retrieval.retriever import Retriever
from ltrgr.retrieval.teachers import teacher_scores
from ltrgr.scoring.scale import one_key_score
from ltrgr.training.learnable_scoring import LearnableScoring
from ltrgr.training.learning_to_rank import LearningToRank, SearchDev

log = logging.getLogger("ltrgr")

DEPTH = 100
"""passages searched per dev question"""


def rank_artefact(
    *, root: Path, mined: Artefact, pretraining: PretrainSettings, settings: RankSettings
) -> Artefact:
    """What identifies a stage-2 model: mined lists (hence model and corpus) and settings."""
    return Artefact(
        root=root,
        stage="rank",
        inputs={
            "mined": mined.fingerprint,
            "targets": describe(pretraining.targets),
            "settings": describe(settings),
        },
    )


def rank(
    directory: Path,
    *,
    artefact: Artefact,
    retriever: Retriever,
    mined: Path,
    corpus: Corpus,
    pretraining: PretrainSettings,
    settings: RankSettings,
    compute: ComputeSettings,
    tracking: WandbSettings,
    name: str,
) -> None:
    """Train in ``directory``, going on from its last checkpoint if it holds one."""
    seed_everything(settings.seed, compute=compute)
    names = retriever.vocabulary.family.names
    learnable_scoring = LearnableScoring(
        retriever.scoring, views=names, learnable_parameters=settings.learnable_parameters
    )
    module = build_module(retriever, learnable_scoring, corpus=corpus, settings=settings)
    module.save_hyperparameters(describe(settings), logger=False)
    data = build_datamodule(
        retriever,
        learnable_scoring,
        mined=mined,
        corpus=corpus,
        pretraining=pretraining,
        settings=settings,
    )
    every = min(settings.val_check_interval, settings.steps)
    choice = Choice.on_dev(directory, monitor=settings.monitor, patience=settings.patience)
    with loggers(
        directory, stage="rank", name=name, tracking=tracking, config=artefact.inputs
    ) as logger:
        trainer = make_trainer(
            directory=directory,
            steps=settings.steps,
            precision=settings.precision,
            gradient_clip_val=settings.gradient_clip_val,
            compute=compute,
            logger=logger,
            callbacks=choice.callbacks,
            val_check_interval=every,
            seed=settings.seed,
            description=f"stage 2: {name}",
        )
        fit(trainer, module, data, checkpoints=directory / SCRATCH)
        choice.load(module)
        expect_finite(module.model)
        trained = retriever.with_(
            model=module.model.to(compute.device).eval(), scoring=learnable_scoring.scoring()
        )
        if tracking.examples:
            _log_examples(logger, trained, corpus)
    trained = trained.with_(model=trained.model.cpu())
    index = os.path.relpath(retriever.index_directory, artefact.directory)
    trained.save(directory, index=index)


def build_module(
    retriever: Retriever,
    learnable_scoring: LearnableScoring,
    *,
    corpus: Corpus,
    settings: RankSettings,
) -> LearningToRank:
    """The LightningModule of stage 2, which trains the retriever's model in place."""
    scoring, n_tokens = retriever.scoring, retriever.index.n_tokens
    one_key = 1.0
    if settings.objective.needs_one_key_score:
        one_key = one_key_score(n_tokens=n_tokens, settings=scoring)
        log.info("one confident key seen once is worth %.1f here: the unit of margins", one_key)
    return LearningToRank(
        model=retriever.model,
        objective=settings.objective.in_units_of(one_key),
        learnable_scoring=learnable_scoring,
        scoring_learning_rate=settings.scoring_learning_rate,
        n_tokens=n_tokens,
        search_dev=_search_dev(retriever, learnable_scoring, corpus),
        metric=OnlineRetrieval(),
        optimizer=settings.optimizer,
        scheduler=settings.scheduler,
        steps=settings.steps,
        label_smoothing=settings.label_smoothing,
    )


def build_datamodule(
    retriever: Retriever,
    learnable_scoring: LearnableScoring,
    *,
    mined: Path,
    corpus: Corpus,
    pretraining: PretrainSettings,
    settings: RankSettings,
) -> RankListDataModule:
    """The DataModule of stage 2 over the lists mined in ``mined``."""
    vocabulary = retriever.vocabulary
    longest = retriever.decoding.max_question_length
    questions = tokenise_questions(
        corpus.train, corpus.passages, vocabulary=vocabulary, longest=longest
    )
    targets = target_sampler(
        corpus=corpus,
        vocabulary=vocabulary,
        serialised=open_serialised(retriever.index_directory),
        settings=pretraining.targets,
    )
    generates = settings.objective.lambda_generation > 0
    lists = MinedLists.load(
        mined, passages=len(corpus.passages), questions=len(corpus.train.queries)
    )
    sampler = RankListSampler(
        mined=lists,
        teachers=teacher_scores(settings.objective.compares_with, mined=lists, corpus=corpus),
        vocabulary=vocabulary,
        questions=questions,
        select=settings.objective.select,
        scoring=retriever.scoring,
        targets=targets,
        targets_per_question=settings.targets_per_question if generates else 0,
        max_question_length=longest,
    )
    return RankListDataModule(
        sampler=sampler,
        batch_size=settings.batch_size,
        dev=torch.arange(min(settings.dev_questions, len(corpus.dev.queries))),
        seed=settings.seed,
        remining=_remining(
            retriever,
            learnable_scoring,
            corpus=corpus,
            settings=settings,
            passages=lists.passage.shape[1],
        ),
    )


def _remining(
    retriever: Retriever,
    learnable_scoring: LearnableScoring,
    *,
    corpus: Corpus,
    settings: RankSettings,
    passages: int,
) -> Remining | None:
    """Mining during training, with the current model and scoring; None where it is off."""
    if settings.remine_every is None:
        return None
    miner = Miner.over(retriever, corpus, passages=passages)

    def mine(questions: NDArray[np.int64]) -> MinedLists:
        lists = miner(retriever.with_(scoring=learnable_scoring.scoring()), questions, shown=False)
        return replace(lists, coverage=learnable_scoring.as_given(lists.coverage))

    return Remining(mine=mine, every=settings.remine_every, questions=settings.remine_questions)


def _search_dev(
    retriever: Retriever, learnable_scoring: LearnableScoring, corpus: Corpus
) -> SearchDev:
    dev = tokenise_questions(
        corpus.dev, corpus.passages, vocabulary=retriever.vocabulary, longest=1
    )

    def search(rows: Tensor) -> tuple[Tensor, Tensor]:
        current = retriever.with_(scoring=learnable_scoring.scoring())
        numbers = rows.cpu().numpy()
        texts = [corpus.dev.queries[i].text for i in numbers]
        batches = current.retrieve(texts, k=DEPTH)
        passage = np.concatenate([batch.lists.passage for batch in batches])
        relevance = relevance_of(passage, dev.relevant_offsets, dev.relevant, rows=numbers)
        n_relevant = np.diff(dev.relevant_offsets)[numbers]
        return torch.from_numpy(relevance), torch.from_numpy(n_relevant)

    return search


def _log_examples(logger: list[Logger], retriever: Retriever, corpus: Corpus) -> None:
    """A table of example rank lists, for the eye."""
    queries = corpus.dev.queries[:8]
    rows: list[list[Any]] = []
    for query, hits in zip(queries, retriever.search([q.text for q in queries], k=3), strict=True):
        relevant = corpus.dev.qrels.get(query.id, {})
        for place, hit in enumerate(hits):
            found = "; ".join(f"{f.view}: {f.text} ({f.weight:.0f})" for f in hit.matches[:5])
            right = relevant.get(hit.passage.id, 0) > 0
            rows.append([query.text, place + 1, right, hit.passage.title, hit.score, found])
    columns = ["question", "rank", "relevant", "passage", "score", "found by"]
    for one in logger:
        if isinstance(one, WandbLogger):
            one.log_table("examples", columns=columns, data=rows)
