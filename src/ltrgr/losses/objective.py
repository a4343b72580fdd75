"""The stage-2 objective: weighted (rank loss, sampler) terms plus lambda * L_gen.

Most rank losses need scores, relevance and mask. One that compares with somebody else's scores (a
teacher, a reference model) takes them as a further keyword, a tensor [B, P]; ``Against`` says
which of the batch's ``context`` it is, so that neither the loss nor the batch knows the other:

    Term(loss=Against(loss=dpo, inputs={"reference": "mined_score"}), ...)

``context`` holds ``mined_score`` [B, P], what the stage-1 model's search gave, and the teachers
that ``Objective.compares_with`` asks for (``retrieval.teachers``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor

from ltrgr.losses.pairs import contrast

UNITS = ("score", "one_key")
GENERATION = "generation"


class RankLoss(Protocol):
    """scores, relevance, mask [B, P] -> scalar."""

    def __call__(self, scores: Tensor, relevance: Tensor, mask: Tensor, /) -> Tensor: ...


class ComparingLoss(Protocol):
    """scores, relevance, mask [B, P], and further scores [B, P] by keyword -> scalar."""

    def __call__(
        self, scores: Tensor, relevance: Tensor, mask: Tensor, /, *args: Any, **inputs: Any
    ) -> Tensor: ...


@dataclass(frozen=True, kw_only=True)
class Against:
    """A loss that is given further scores, in score units: its keyword -> name in ``context``."""

    loss: ComparingLoss
    inputs: Mapping[str, str]

    def bound(self, context: Mapping[str, Tensor], *, unit: float) -> RankLoss:
        """The loss with its further scores in place, measured in ``unit`` like the scores."""
        if missing := sorted(set(self.inputs.values()) - set(context)):
            raise ValueError(
                f"found no {missing} in the batch, which gives {sorted(context)}; expected the "
                "inputs of the loss to name one of these; set the inputs of loss.objective.terms"
            )
        given = {keyword: context[name] / unit for keyword, name in self.inputs.items()}
        return partial(self.loss, **given)


class Sampler(Protocol):
    """scores, relevance, mask [B, P] -> the chosen passages, bool [B, P]."""

    def __call__(
        self, scores: Tensor, relevance: Tensor, mask: Tensor, /, *, generator: torch.Generator
    ) -> Tensor: ...


@dataclass(frozen=True, kw_only=True)
class Term:
    """One rank loss over the passages that one sampler chooses.

    ``unit`` says in what the loss measures scores: "score" gives it the raw scores; "one_key"
    gives it multiples u of the one-key score and scales the result back, u * loss(scores / u),
    so that a margin of 1.0 means one confident key seen once on any corpus while ``weight`` and
    lambda keep their meaning.
    """

    loss: RankLoss | Against
    sampler: Sampler
    weight: float = 1.0
    unit: str = "score"
    ramp: Sequence[float] = (1.0, 1.0)
    """Factors of the weight at the first and the last step, linear between: a curriculum."""

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise ValueError(f"found unit={self.unit!r}, expected one of {UNITS}; set loss.unit")
        _expect_weight("weight", self.weight)
        if len(self.ramp) != 2:
            raise ValueError(f"found ramp={list(self.ramp)}, expected a first and a last factor")
        for factor in self.ramp:
            _expect_weight("ramp", factor)

    def weight_at(self, progress: float) -> float:
        """The weight when the share ``progress`` of the training is done."""
        first, last = self.ramp
        return self.weight * (first + (last - first) * progress)

    def __call__(
        self,
        scores: Tensor,
        relevance: Tensor,
        chosen: Tensor,
        *,
        one_key_score: float,
        context: Mapping[str, Tensor] | None = None,
    ) -> Tensor:
        """The unweighted loss, in score units: scores, relevance, chosen [B, P] -> []."""
        unit = one_key_score if self.unit == "one_key" else 1.0
        loss = self.loss
        if isinstance(loss, Against):
            loss = loss.bound(context or {}, unit=unit)
        return unit * loss(scores / unit, relevance, chosen)


@dataclass(frozen=True, kw_only=True)
class Objective:
    """L = sum over terms of weight * L_term + lambda_generation * L_gen (method, sec. 4).

    Terms of weight 0 are never evaluated; neither is L_gen with ``lambda_generation`` 0.
    ``generation_unit="one_key"`` counts lambda in one-key scores: rank losses grow with the
    corpus, L_gen does not, and the paper's 1000 beside keys worth 382 is 2.6 of them.
    """

    terms: Mapping[str, Term]
    lambda_generation: float
    generation_unit: str = "score"

    def __post_init__(self) -> None:
        _expect_weight("lambda_generation", self.lambda_generation)
        if self.generation_unit not in UNITS:
            raise ValueError(
                f"found generation_unit={self.generation_unit!r}, expected one of {UNITS}"
            )
        if GENERATION in self.terms:
            raise ValueError(f"found a term named {GENERATION!r}: the name of L_gen; rename it")
        if not self.active and self.lambda_generation == 0:
            raise ValueError(
                f"found weight 0 for all of {[*self.terms, GENERATION]}, expected one above 0: "
                "nothing would be trained; to measure stage 1 alone, evaluate without stage 2"
            )

    @property
    def active(self) -> dict[str, Term]:
        """The terms that take part: those with a weight above 0."""
        return {name: term for name, term in self.terms.items() if term.weight > 0}

    @property
    def needs_one_key_score(self) -> bool:
        """Whether any active part measures in one-key units."""
        units = {term.unit for term in self.active.values()}
        if self.lambda_generation > 0:
            units.add(self.generation_unit)
        return "one_key" in units

    @property
    def compares_with(self) -> set[str]:
        """Names in ``context`` that the active terms ask for."""
        losses = (term.loss for term in self.active.values())
        return {name for x in losses if isinstance(x, Against) for name in x.inputs.values()}

    def try_out(self) -> None:
        """Compute everything once on a list of three, so that a loss or sampler that does not take
        its settings says so before hours of work and not after."""
        scores, relevance = torch.tensor([[2.0, 1.0, 0.0]]), torch.tensor([[0, 1, 0]])
        everything = torch.ones_like(scores, dtype=torch.bool)
        generator = torch.Generator().manual_seed(0)
        self(
            scores,
            relevance,
            self.select(scores, relevance, everything, generator=generator),
            torch.zeros(()),
            one_key_score=1.0,
            context=dict.fromkeys(self.compares_with, scores),
        )

    def select(
        self, scores: Tensor, relevance: Tensor, mask: Tensor, *, generator: torch.Generator
    ) -> dict[str, Tensor]:
        """The passages that each active term looks at, so that only those need a gradient.

        Args:
            scores: [B, P] current scores (mined or recomputed); no gradient flows through them.
            relevance: [B, P] bool or grade.
            mask: [B, P] bool, the real passages of the padded lists.
            generator: source of randomness; the same state gives the same choice.

        Returns:
            name -> bool [B, P]; empty rows for questions without a positive and a negative.
        """
        with torch.no_grad():
            return {
                name: _contrasting(
                    term.sampler(scores.detach(), relevance, mask, generator=generator), relevance
                )
                for name, term in self.active.items()
            }

    def __call__(
        self,
        scores: Tensor,
        relevance: Tensor,
        chosen: Mapping[str, Tensor],
        generation_loss: Tensor | None,
        *,
        one_key_score: float,
        context: Mapping[str, Tensor] | None = None,
        progress: float = 0.0,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss to descend and its parts for the log.

        Args:
            scores: [B, P] differentiable scores, right at least where a term has chosen.
            relevance: [B, P] bool or grade.
            chosen: what ``select`` returned.
            generation_loss: [] L_gen, or None where lambda_generation is 0.
            one_key_score: the scale of ``unit="one_key"``.
            context: name -> [B, P] further scores, for losses that are ``Against`` some.
            progress: share of the training that is done, for terms with a ramp.

        Returns:
            (total [], name -> detached value before weighting, "generation" included).
        """
        parts = {
            name: term(
                scores, relevance, chosen[name], one_key_score=one_key_score, context=context
            )
            for name, term in self.active.items()
        }
        weights = {name: term.weight_at(progress) for name, term in self.active.items()}
        if self.lambda_generation > 0:
            if generation_loss is None:
                raise ValueError(
                    f"found no generation loss, expected one with "
                    f"lambda_generation={self.lambda_generation}; or set loss.lambda_generation=0"
                )
            unit = one_key_score if self.generation_unit == "one_key" else 1.0
            parts[GENERATION], weights[GENERATION] = generation_loss, unit * self.lambda_generation
        total = torch.stack([weights[name] * part for name, part in parts.items()]).sum()
        return total, {name: part.detach() for name, part in parts.items()}


def _contrasting(chosen: Tensor, relevance: Tensor) -> Tensor:
    """Drops the questions whose choice cannot teach an order: no positive or no negative in it."""
    return chosen & contrast(relevance=relevance, mask=chosen)


def _expect_weight(name: str, value: float) -> None:
    if not (isinstance(value, int | float) and math.isfinite(value) and value >= 0):
        raise ValueError(f"found {name}={value}, expected a finite number, 0 or above; set {name}")
