"""Whether a stage-1 model has learnt to generate: what dev says, while it trains and after."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ltrgr.analysis.greedy import greedy_identifiers
from ltrgr.corpus.records import Corpus
from ltrgr.data.target_sampler import TargetSampler
from ltrgr.disk import write_atomically
from ltrgr.errors import LtrgrError
from ltrgr.identifiers.serialise import SerialisedCorpus
from ltrgr.identifiers.tokenised import tokenise_questions
from ltrgr.json_file import DamagedFileError, MissingFileError, read_json_object
from ltrgr.retrieval.retriever import Retriever
from ltrgr.training.identifier_pretraining import (
    IDENTIFIERS,
    TOKENS,
    CheckDev,
    Counted,
    right_tokens,
)

FILE = "validation.json"
CURE = "remove its folder, and `ltrgr pretrain` makes it again"

LEAST = 0.2
"""Identifier accuracy of the best view below which a model counts as not generating. On the demo,
runs that never learnt to copy stay below 0.05; all others end above 0.6."""

DRAWN_WITH = 0
"""seed of the dev targets whose tokens are counted: every validation of every run sees the same"""


def dev_check(
    retriever: Retriever, *, corpus: Corpus, serialised: SerialisedCorpus, targets: TargetSampler
) -> CheckDev:
    """Count what ``retriever.model``, as it is at that moment, gets right on dev questions.

    Args:
        targets: draws identifiers for the questions of dev.
    """
    dev = tokenise_questions(
        corpus.dev,
        corpus.passages,
        vocabulary=retriever.vocabulary,
        longest=retriever.decoding.max_question_length,
    )
    names = {name: f"{IDENTIFIERS}/{name}" for name in retriever.vocabulary.family.names}

    def check(rows: Tensor) -> Counted:
        numbers = rows.cpu().numpy()
        device = retriever.device
        generator = np.random.default_rng((DRAWN_WITH, *numbers[:1]))
        batch = targets.batch_for_questions(numbers, each=1, generator=generator).to(device)
        # As in a search afterwards: in full precision.
        with torch.autocast(device.type, enabled=False), torch.inference_mode():
            counted = {TOKENS: right_tokens(retriever.model, batch)}
            found = greedy_identifiers(retriever, serialised, dev.of(numbers))
        for name, (right, asked) in found.items():
            counted[names[name]] = (torch.from_numpy(right), torch.from_numpy(asked))
        return counted

    return check


@dataclass(frozen=True, kw_only=True)
class Validation:
    """What dev says of a finished stage-1 model."""

    step: int
    """the step that dev chose"""
    monitor: str
    """the figure that it was chosen by"""
    figures: Mapping[str, float]
    """of the chosen weights"""
    history: Sequence[Mapping[str, Any]] = ()
    """{"step": int, "metrics": name -> value} of each validation, in order"""

    @property
    def generates(self) -> bool:
        """Whether the model has learnt to generate identifiers."""
        views = [v for name, v in self.figures.items() if name.startswith(f"dev/{IDENTIFIERS}/")]
        return not views or max(views) >= LEAST

    def complaint(self) -> str:
        """One line that says so and what to raise; empty for a model that generates."""
        if self.generates:
            return ""
        shares = ", ".join(
            f"{name.rpartition('/')[2]} {100 * value:.0f} %"
            for name, value in self.figures.items()
            if name.startswith(f"dev/{IDENTIFIERS}/")
        )
        return (
            f"stage 1 has not learnt to generate (greedy identifiers right on dev: {shares}); "
            "raise pretrain.steps or pretrain.optimizer.lr, or start from a pretrained model"
        )

    def save(self, directory: Path) -> None:
        """Write ``validation.json``."""
        plain = {
            "step": self.step,
            "monitor": self.monitor,
            "figures": dict(self.figures),
            "generates": self.generates,
            "history": list(self.history),
        }
        write_atomically(directory / FILE, json.dumps(plain, indent=2))

    @classmethod
    def load(cls, directory: Path) -> Validation | None:
        """What ``save`` wrote; None where the model was not validated.

        Raises:
            DamagedFileError, UnreadableFileError: the file is there and cannot be used.
        """
        path = directory / FILE
        try:
            plain = read_json_object(path, cure=CURE)
        except MissingFileError:
            return None
        figures = plain.get("figures")
        if not isinstance(figures, dict) or not all(map(_is_number, figures.values())):
            raise DamagedFileError(f"{path} is damaged: its figures are no numbers; {CURE}")
        return cls(
            step=plain.get("step", 0),
            monitor=plain.get("monitor", ""),
            figures=figures,
            history=tuple(plain.get("history") or ()),
        )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


def complaints(stages: Mapping[str, Path]) -> list[str]:
    """A line for each named stage-1 folder whose model has not learnt to generate, or of which
    nobody can tell."""
    found = {name: complaint_about(directory) for name, directory in stages.items()}
    return [f"{name}: {line}" for name, line in found.items() if line]


def complaint_about(directory: Path) -> str:
    """The complaint about the stage-1 model in ``directory``; empty for none."""
    try:
        validation = Validation.load(directory)
    except LtrgrError as error:
        return str(error)
    return "" if validation is None else validation.complaint()
