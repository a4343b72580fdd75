"""The settings of each stage."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ltrgr.errors import LtrgrError
from ltrgr.identifiers.vocabulary import Vocabulary
from ltrgr.index.kinds import FOLDERS
from ltrgr.losses.objective import Objective
from ltrgr.pipeline.describe import NOT_IDENTITY, ONLY_WITH
from ltrgr.training.learnable_scoring import expect_learnable
from ltrgr.training.optimization import MakeOptimizer, MakeScheduler


def _elsewhere(default: Any) -> Any:
    """A setting that changes where or how fast, never what is computed."""
    return field(default=default, metadata={NOT_IDENTITY: True})


def _only_with(switch: str, default: Any) -> Any:
    """A setting that means nothing unless the field ``switch`` is set."""
    return field(default=default, metadata={ONLY_WITH: switch})


class SettingsError(LtrgrError):
    """A setting is of the wrong kind or out of its range."""


def _expect_counts(section: str, settings: Any, *names: str) -> None:
    """Whole numbers of 1 or more, before any work begins."""
    for name in names:
        value = getattr(settings, name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise SettingsError(f"{section}.{name}={value!r}: expected a whole number, 1 or more")


def _expect_numbers(section: str, settings: Any, *names: str) -> None:
    """Finite numbers of 0 or more."""
    for name in names:
        value = getattr(settings, name)
        if not isinstance(value, int | float) or not 0 <= value < float("inf"):
            raise SettingsError(f"{section}.{name}={value!r}: expected a number, 0 or more")


def _expect_optimizer(section: str, settings: Any) -> None:
    """An optimizer and a schedule that can be made: both are tried on one parameter."""
    given = getattr(settings.optimizer, "keywords", {})
    for name in ("lr", "weight_decay"):
        value = given.get(name, 0.0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise SettingsError(f"{section}.optimizer.{name}={value!r}: expected a number")
    part = "optimizer"
    try:
        made = settings.optimizer([{"params": [nn.Parameter(torch.zeros(1))]}])
        part = "scheduler"
        settings.scheduler(made, steps=2)
    except (ValueError, TypeError) as error:
        raise SettingsError(f"{section}.{part}: {error}") from error


@dataclass(frozen=True, kw_only=True)
class Backbone:
    """A tokenizer and the network over it; both are called with what is only known later."""

    tokenizer: Callable[..., Any]
    """(texts: Iterable[str]) -> fast tokenizer"""
    network: Callable[..., Any]
    """(vocabulary: Vocabulary) -> encoder-decoder"""

    def make_tokenizer(self, texts: Iterable[str]) -> Any:
        """The tokenizer, trained on ``texts`` if it is of that kind."""
        return self.tokenizer(texts=texts)

    def make_network(self, vocabulary: Vocabulary) -> Any:
        """A fresh network for this vocabulary."""
        return self.network(vocabulary=vocabulary)


@dataclass(frozen=True, kw_only=True)
class IndexSettings:
    """Which index is built, and how. Searches are the same with all of these settings; ``kind`` is
    part of the index's fingerprint, because its files differ."""

    kind: str = "fm"
    """fm: an FM-index over the whole token stream, for every family; trie: the sorted docids, for a
    family whose only searched view is one of docids."""
    shard_tokens: int | None = None
    """Most tokens of a shard, which bounds the memory of a build; None: one shard."""
    force: bool = False
    """Begin even if the memory plan says that it will not fit."""

    def __post_init__(self) -> None:
        if self.kind not in FOLDERS:
            raise SettingsError(f"index.kind={self.kind!r}: expected one of {list(FOLDERS)}")
        if self.kind != "fm" and self.shard_tokens is not None:
            raise SettingsError(
                f"index.shard_tokens={self.shard_tokens} with index.kind={self.kind}, which is "
                "small and built in one piece: set index.shard_tokens=null"
            )
        _expect_counts("index", self, *(["shard_tokens"] if self.shard_tokens is not None else []))


@dataclass(frozen=True, kw_only=True)
class TargetSettings:
    """How stage-1 targets are drawn; see ``data.target_sampler.TargetSampler``."""

    span_length: int
    temperature: float
    field_temperature: float
    unsupervised: float
    max_question_length: int
    max_target_length: int

    def __post_init__(self) -> None:
        section = "pretrain.targets"
        _expect_counts(section, self, "span_length", "max_question_length", "max_target_length")
        for name in ("temperature", "field_temperature"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not value > 0:
                raise SettingsError(f"{section}.{name}={value!r}: expected a number above 0")


@dataclass(frozen=True, kw_only=True)
class PretrainSettings:
    """Stage 1; rates and steps as in ``training.identifier_pretraining``."""

    targets: TargetSettings
    steps: int
    batch_size: int
    optimizer: MakeOptimizer
    scheduler: MakeScheduler
    cross_attention_learning_rate: float | None
    label_smoothing: float
    gradient_clip_val: float
    precision: str
    seed: int
    val_check_interval: int
    dev_questions: int
    monitor: str
    patience: int | None
    """Validations without a better one before training stops; None: it goes on to its end."""
    further_steps: int | None = _only_with("further_steps", None)
    """Steps that follow the whole training, with a warm-up and a decay of their own; None: none."""

    def __post_init__(self) -> None:
        optional = [n for n in ("further_steps", "patience") if getattr(self, n) is not None]
        counts = ("steps", "batch_size", "val_check_interval", "dev_questions")
        _expect_counts("pretrain", self, *counts, *optional)
        _expect_numbers("pretrain", self, "label_smoothing", "gradient_clip_val")
        if self.cross_attention_learning_rate is not None:
            _expect_numbers("pretrain", self, "cross_attention_learning_rate")
        _expect_optimizer("pretrain", self)


@dataclass(frozen=True, kw_only=True)
class MineSettings:
    """Rank lists for stage 2: ``passages`` each, of at most ``questions`` training questions."""

    passages: int
    questions: int | None
    seed: int

    def __post_init__(self) -> None:
        _expect_counts("mine", self, "passages", *(["questions"] if self.questions else []))


@dataclass(frozen=True, kw_only=True)
class RankSettings:
    """Stage 2; rates and steps as in ``training.learning_to_rank``."""

    objective: Objective
    steps: int
    batch_size: int
    targets_per_question: int
    optimizer: MakeOptimizer
    scheduler: MakeScheduler
    label_smoothing: float
    gradient_clip_val: float
    precision: str
    val_check_interval: int
    dev_questions: int
    monitor: str
    patience: int
    seed: int
    remine_every: int | None = _only_with("remine_every", None)
    """Steps between two minings by the current model, each for the questions of the coming steps;
    None: mined once, as in the paper."""
    remine_questions: int | None = _only_with("remine_every", None)
    """Most questions of one such mining, the ones seen first; None: all of the coming steps."""
    learnable_parameters: Sequence[str] = _only_with("learnable_parameters", ())
    """Numbers of the scorer that are learned, too; see ``training.learnable_scoring``."""
    scoring_learning_rate: float = _only_with("learnable_parameters", 1e-2)
    """Of the learned numbers, on the scale of softplus and logit."""

    def __post_init__(self) -> None:
        counts = ("steps", "batch_size", "val_check_interval", "dev_questions", "patience")
        optional = ("remine_every", "remine_questions")
        given = [name for name in optional if getattr(self, name) is not None]
        _expect_counts("rank", self, *counts, *given)
        names = ("label_smoothing", "gradient_clip_val", "scoring_learning_rate")
        _expect_numbers("rank", self, *names)
        _expect_optimizer("rank", self)
        object.__setattr__(
            self, "learnable_parameters", expect_learnable(self.learnable_parameters)
        )
        self.objective.check()
        if self.remine_every and self.objective.compares_with:
            raise SettingsError(
                f"rank.remine_every={self.remine_every} with a loss that compares with "
                f"{sorted(self.objective.compares_with)}, which belong to the lists as they were "
                "mined once; set rank.remine_every=null or another loss"
            )


@dataclass(frozen=True, kw_only=True)
class ComputeSettings:
    """Where and how it runs; no part of any fingerprint."""

    accelerator: str = "auto"
    threads: int | None = None
    progress: bool = True

    def __post_init__(self) -> None:
        if self.threads is not None:
            _expect_counts("compute", self, "threads")

    @property
    def device(self) -> str:
        """The torch device that search runs on.

        Raises:
            SettingsError: a GPU is asked for, and torch sees none.
        """
        there = torch.cuda.is_available()
        if self.accelerator in ("gpu", "cuda") and not there:
            raise SettingsError(
                f"compute.accelerator={self.accelerator}: torch sees no CUDA device; expected auto "
                "or cpu (ltrgr doctor shows the devices)"
            )
        return "cuda" if there and self.accelerator in ("auto", "gpu", "cuda") else "cpu"


@dataclass(frozen=True, kw_only=True)
class WandbSettings:
    """Where curves go besides CSV, and what goes along: the settings, the curves, and nothing that
    tells of texts or of the machine unless it is asked for."""

    mode: str = "auto"
    """auto (online with a key and a network, else offline), online, offline or disabled"""
    project: str = "ltrgr"
    group: str | None = None
    directory: Path = Path("runs")
    examples: bool = False
    """Send questions of dev with the titles and identifiers of the passages that were found."""
    environment: bool = False
    """Send what wandb itself collects: arguments, program, user, host, packages, git remote."""

    def __post_init__(self) -> None:
        modes = ("auto", "online", "offline", "disabled")
        if self.mode not in modes:
            raise SettingsError(f"wandb.mode={self.mode!r}: expected one of {modes}")
        for name in ("examples", "environment"):
            if not isinstance(value := getattr(self, name), bool):
                raise SettingsError(f"wandb.{name}={value!r}: expected true or false")
