"""Stage "pretrain": learning to generate identifiers."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ltrgr.corpus.records import Corpus
from ltrgr.data.identifier_datamodule import IdentifierDataModule
from ltrgr.data.target_sampler import TargetSampler
from ltrgr.decoding.decoding_settings import DecodingSettings
from ltrgr.evaluation.shares import Shares
from ltrgr.identifiers.serialise import SerialisedCorpus
from ltrgr.identifiers.tokenised import tokenise_questions
from ltrgr.identifiers.views import Family
from ltrgr.identifiers.vocabulary import Vocabulary
from ltrgr.models.pretrained import trained_model
from ltrgr.pipeline.artefact import SCRATCH, Artefact
from ltrgr.pipeline.checkpoint_choice import Choice
from ltrgr.pipeline.describe import describe
from ltrgr.pipeline.divergence import expect_finite
from ltrgr.pipeline.generation_check import Validation, dev_check
from ltrgr.pipeline.index_stage import open_serialised, open_vocabulary
from ltrgr.pipeline.seeding import seed_everything
from ltrgr.pipeline.settings import (
    Backbone,
    ComputeSettings,
    PretrainSettings,
    TargetSettings,
    WandbSettings,
)
from ltrgr.pipeline.trainer import fit, loggers, make_trainer
from ltrgr.retrieval.retriever import Retriever
from ltrgr.scoring.scoring_settings import ScoringSettings
from ltrgr.training.identifier_pretraining import (
    CheckDev,
    IdentifierPretraining,
    dev_figures,
    dev_names,
)

log = logging.getLogger("ltrgr")


def pretrain_artefact(
    *,
    root: Path,
    index: Artefact,
    corpus: Corpus,
    backbone: Backbone,
    settings: PretrainSettings,
    before: Artefact | None = None,
) -> Artefact:
    """What identifies a stage-1 model: index, training split, network and settings.

    ``before`` is the model that ``settings.further_steps`` start from.
    """
    return Artefact(
        root=root,
        stage="pretrain",
        inputs={
            "index": index.fingerprint,
            "corpus": corpus.checksum,
            "network": describe(backbone.network),
            "settings": describe(settings),
            **({} if before is None else {"before": before.fingerprint}),
        },
    )


def target_sampler(
    *,
    corpus: Corpus,
    vocabulary: Vocabulary,
    serialised: SerialisedCorpus,
    settings: TargetSettings,
    split: str = "train",
) -> TargetSampler:
    """The sampler of (prompt, identifier) pairs over a split of the corpus."""
    questions = tokenise_questions(getattr(corpus, split), corpus.passages, vocabulary=vocabulary)
    return TargetSampler(
        vocabulary=vocabulary,
        corpus=serialised,
        questions=questions,
        span_length=settings.span_length,
        temperature=settings.temperature,
        field_temperature=settings.field_temperature,
        unsupervised=settings.unsupervised,
        max_question_length=settings.max_question_length,
        max_target_length=settings.max_target_length,
    )


def _samplers(
    corpus: Corpus,
    vocabulary: Vocabulary,
    serialised: SerialisedCorpus,
    settings: TargetSettings,
) -> tuple[TargetSampler, TargetSampler]:
    """The samplers of training and of dev, which asks questions alone."""
    train, dev = (
        target_sampler(
            corpus=corpus,
            vocabulary=vocabulary,
            serialised=serialised,
            settings=replace(settings, unsupervised=unsupervised),
            split=split,
        )
        for split, unsupervised in (("train", settings.unsupervised), ("dev", 0.0))
    )
    return train, dev


def pretrain(
    directory: Path,
    *,
    artefact: Artefact,
    index: Path,
    corpus: Corpus,
    family: Family,
    backbone: Backbone,
    settings: PretrainSettings,
    scoring: ScoringSettings,
    decoding: DecodingSettings,
    compute: ComputeSettings,
    tracking: WandbSettings,
    before: Path | None = None,
) -> None:
    """Train in ``directory``, going on from its last checkpoint if it holds one.

    ``before`` holds the finished model that ``settings.further_steps`` start from.
    """
    seed_everything(settings.seed, compute=compute)
    vocabulary, serialised = open_vocabulary(index, family), open_serialised(index)
    sampler, dev_targets = _samplers(corpus, vocabulary, serialised, settings.targets)
    steps = settings.steps if before is None else settings.further_steps
    assert steps is not None  # the pipeline gives ``before`` only with further steps
    retriever = Retriever(
        model=_first_model(backbone, vocabulary, before=before),
        vocabulary=vocabulary,
        index_directory=index,
        scoring=scoring,
        decoding=decoding,
        threads=compute.threads,
    )
    check = dev_check(retriever, corpus=corpus, serialised=serialised, targets=dev_targets)
    dev = torch.from_numpy(dev_targets.with_pairs[: settings.dev_questions])
    names = dev_names([name for name, view in family.views.items() if view.searched])
    module = _module(retriever.model, settings, steps=steps, check=check, names=names)
    data = IdentifierDataModule(
        sampler=sampler,
        batch_size=settings.batch_size,
        seed=settings.seed,
        dev=dev,
        steps_before=0 if before is None else settings.steps,
    )
    every = min(settings.val_check_interval, steps)
    choice = _choice(directory, settings, every=every, validates=len(dev) > 0)
    views = "+".join(family.names)
    with loggers(
        directory,
        stage="pretrain",
        name=f"pretrain {views} {artefact.fingerprint[:6]}",
        tracking=tracking,
        config=artefact.inputs,
    ) as logger:
        trainer = make_trainer(
            directory=directory,
            steps=steps,
            precision=settings.precision,
            gradient_clip_val=settings.gradient_clip_val,
            compute=compute,
            logger=logger,
            callbacks=choice.callbacks,
            val_check_interval=every if len(dev) else None,
            seed=settings.seed,
            description=f"stage 1: {views}",
        )
        fit(trainer, module, data, checkpoints=directory / SCRATCH)
    step = choice.load(module)
    expect_finite(module.model)
    retriever = retriever.with_(model=module.model.cpu().eval())
    if len(dev):
        validation = Validation(
            step=step,
            monitor=settings.monitor,
            figures=_dev_figures(data, check, names=names),
            history=choice.history.validations,
        )
        validation.save(directory)
        if complaint := validation.complaint():
            log.warning("%s", complaint)
    retriever.save(directory, index=os.path.relpath(index, artefact.directory))


def _module(
    model: Any, settings: PretrainSettings, *, steps: int, check: CheckDev, names: Sequence[str]
) -> IdentifierPretraining:
    """The Lightning module of ``steps`` steps; ``names``: the figures of its validation."""
    module = IdentifierPretraining(
        model=model,
        optimizer=settings.optimizer,
        scheduler=settings.scheduler,
        cross_attention_learning_rate=settings.cross_attention_learning_rate,
        steps=steps,
        label_smoothing=settings.label_smoothing,
        check_dev=check,
        shares=Shares(names),
    )
    module.save_hyperparameters(describe(settings), logger=False)
    return module


def _choice(directory: Path, settings: PretrainSettings, *, every: int, validates: bool) -> Choice:
    """What chooses the checkpoint: dev, or without questions of dev the last step."""
    if not validates:
        return Choice.without_dev(directory, every=every)
    return Choice.on_dev(
        directory, monitor=settings.monitor, patience=settings.patience, later_of_equal=True
    )


def _dev_figures(
    data: IdentifierDataModule, check: CheckDev, *, names: Sequence[str]
) -> dict[str, float]:
    """What dev says of the finished model; figures of which nothing was asked are left out."""
    shares = Shares(names)
    for rows in data.val_dataloader():
        shares.update(check(rows))
    figures = {name: float(value) for name, value in dev_figures(shares.compute()).items()}
    return {name: value for name, value in figures.items() if not math.isnan(value)}


def _first_model(backbone: Backbone, vocabulary: Vocabulary, *, before: Path | None) -> Any:
    """A network as the backbone makes it, with the weights of ``before`` where that is given."""
    network = backbone.make_network(vocabulary)
    if before is not None:
        network.load_state_dict(trained_model(before / "model").state_dict())
    return network
