"""The settings of each stage."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from ltrgr.identifiers.vocabulary import Vocabulary
from ltrgr.losses.objective import Objective
from ltrgr.pipeline.describe import ONLY_WITH
from ltrgr.training.learnable_scoring import expect_learnable
from ltrgr.training.optimization import OPTIMIZER_RANGES, MakeOptimizer, MakeScheduler
from ltrgr.typed import (
    Count,
    CountOrZero,
    Fraction,
    FractionBelowOne,
    Length,
    NotNegative,
    Positive,
    PositiveOrInfinite,
    Seed,
    SettingsError,
    Text,
    expect_fields,
    faults,
    refuse,
)

Precision = Literal["32-true", "bf16-mixed", "16-mixed", "bf16-true", "16-true", "64-true"]
"""Lightning's names: of the weights (true), or of the arithmetic over 32-bit weights (mixed)"""


def _only_with(switch: str, default: Any) -> Any:
    """A setting that means nothing unless the field ``switch`` is set."""
    return field(default=default, metadata={ONLY_WITH: switch})


def _optimizer_faults(section: str, settings: Any) -> list[str]:
    """Why the optimizer or the schedule cannot be made: both are tried on one parameter."""
    given = getattr(settings.optimizer, "keywords", {})
    if found := list(faults(f"{section}.optimizer", OPTIMIZER_RANGES, given)):
        return found
    part = "optimizer"
    try:
        made = settings.optimizer([{"params": [nn.Parameter(torch.zeros(1))]}])
        part = "scheduler"
        settings.scheduler(made, steps=2)
    except (ValueError, TypeError) as error:
        return [f"{section}.{part}: {error}"]
    return []


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

    kind: Literal["fm", "trie"] = "fm"
    """fm: an FM-index over the whole token stream, for every family; trie: the sorted docids, for a
    family whose only searched view is one of docids."""
    shard_tokens: Count | None = None
    """Most tokens of a shard, which bounds the memory of a build; None: one shard."""
    force: bool = False
    """Begin even if the memory plan says that it will not fit."""

    def __post_init__(self) -> None:
        expect_fields("index", self)
        if self.kind != "fm" and self.shard_tokens is not None:
            raise SettingsError(
                f"index.shard_tokens={self.shard_tokens} with index.kind={self.kind}, which is "
                "small and built in one piece: set index.shard_tokens=null"
            )


@dataclass(frozen=True, kw_only=True)
class TargetSettings:
    """How stage-1 targets are drawn; see ``data.target_sampler.TargetSampler``."""

    span_length: Length
    temperature: Positive
    field_temperature: PositiveOrInfinite
    unsupervised: Fraction
    max_question_length: Length
    max_target_length: Length

    def __post_init__(self) -> None:
        expect_fields("pretrain.targets", self)


@dataclass(frozen=True, kw_only=True)
class PretrainSettings:
    """Stage 1; rates and steps as in ``training.identifier_pretraining``."""

    targets: TargetSettings
    steps: Count
    batch_size: Count
    optimizer: MakeOptimizer
    scheduler: MakeScheduler
    cross_attention_learning_rate: NotNegative | None
    label_smoothing: FractionBelowOne
    gradient_clip_val: NotNegative
    precision: Precision
    seed: Seed
    val_check_interval: Count
    dev_questions: Count
    monitor: Text
    patience: Count | None
    """Validations without a better one before training stops; None: it goes on to its end."""
    further_steps: Count | None = _only_with("further_steps", None)
    """Steps that follow the whole training, with a warm-up and a decay of their own; None: none."""

    def __post_init__(self) -> None:
        expect_fields("pretrain", self)
        refuse(_optimizer_faults("pretrain", self))


@dataclass(frozen=True, kw_only=True)
class MineSettings:
    """Rank lists for stage 2: ``passages`` each, of at most ``questions`` training questions."""

    passages: Count
    questions: Count | None
    seed: Seed

    def __post_init__(self) -> None:
        expect_fields("mine", self)


@dataclass(frozen=True, kw_only=True)
class RankSettings:
    """Stage 2; rates and steps as in ``training.learning_to_rank``."""

    objective: Objective
    steps: Count
    batch_size: Count
    targets_per_question: CountOrZero
    optimizer: MakeOptimizer
    scheduler: MakeScheduler
    label_smoothing: FractionBelowOne
    gradient_clip_val: NotNegative
    precision: Precision
    val_check_interval: Count
    dev_questions: Count
    monitor: Text
    patience: Count
    seed: Seed
    remine_every: Count | None = _only_with("remine_every", None)
    """Steps between two minings by the current model, each for the questions of the coming steps;
    None: mined once, as in the paper."""
    remine_questions: Count | None = _only_with("remine_every", None)
    """Most questions of one such mining, the ones seen first; None: all of the coming steps."""
    learnable_parameters: Sequence[str] = _only_with("learnable_parameters", ())
    """Numbers of the scorer that are learned, too; see ``training.learnable_scoring``."""
    scoring_learning_rate: NotNegative = _only_with("learnable_parameters", 1e-2)
    """Of the learned numbers, on the scale of softplus and logit."""

    def __post_init__(self) -> None:
        expect_fields("rank", self)
        refuse(_optimizer_faults("rank", self))
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

    accelerator: Literal["auto", "cpu", "gpu", "cuda"] = "auto"
    threads: Count | None = None
    progress: bool = True

    def __post_init__(self) -> None:
        expect_fields("compute", self)

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

    mode: Literal["auto", "online", "offline", "disabled"] = "auto"
    """auto (online with a key and a network, else offline), online, offline or disabled"""
    project: Text = "ltrgr"
    group: str | None = None
    directory: Path = Path("runs")
    examples: bool = False
    """Send questions of dev with the titles and identifiers of the passages that were found."""
    agents_stage: str = "rank"
    """The stage that the run of a `wandb agent` belongs to: that of the command which the agent
    starts. A stage before it gets a run of its own."""
    environment: bool = False
    """Send what wandb itself collects: arguments, program, user, host, packages, git remote."""

    def __post_init__(self) -> None:
        expect_fields("wandb", self)
        object.__setattr__(self, "directory", Path(self.directory))
