"""The stage-2 objective: weighted (rank loss, sampler) terms plus lambda * L_gen.

Most rank losses need scores, relevance and mask. Some compare with the scores of another model (a
teacher, a reference) and take them as a further keyword, a tensor [B, P]. ``Against`` maps the
keyword to a name in the batch's ``context``, so that loss and batch stay independent:

    Term(loss=Against(loss=dpo, inputs={"reference": "mined_score"}), ...)

``context`` holds ``mined_score`` [B, P], the scores of the search that mined the lists, and the
teachers that ``Objective.compares_with`` names (``retrieval.teachers``).
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
    """scores, relevance, mask [B, P] and further scores [B, P] by keyword -> scalar."""

    def __call__(
        self, scores: Tensor, relevance: Tensor, mask: Tensor, /, *args: Any, **inputs: Any
    ) -> Tensor: ...


@dataclass(frozen=True, kw_only=True)
class Against:
    """A loss with further scores.

    ``inputs`` maps each of its keywords to a name in ``context``, whose scores are in score units.
    """

    loss: ComparingLoss
    inputs: Mapping[str, str]

    def bound(self, context: Mapping[str, Tensor], *, unit: float) -> RankLoss:
        """The loss with its further scores bound, divided by ``unit`` like the scores.

        Raises:
            ValueError: ``context`` lacks a name.
        """
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

    ``unit`` is the unit of the loss's settings. "score" passes the raw scores. "one_key" computes
    ``u * loss(scores / u)`` with u the one-key score: a margin of 1.0 is then one confident key
    seen once, on any corpus, and the value stays in score units, so that ``weight`` and lambda
    keep their meaning (docs/method.md, 9.3).

    Raises:
        ValueError: a setting is out of range; the message names it.
    """

    loss: RankLoss | Against
    sampler: Sampler
    weight: float = 1.0
    unit: str = "score"
    ramp: Sequence[float] = (1.0, 1.0)
    """Factors of the weight at the first and the last step, linear in between: a curriculum."""

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise ValueError(f"found unit={self.unit!r}, expected one of {UNITS}; set loss.unit")
        _expect_weight("weight", self.weight)
        if len(self.ramp) != 2:
            raise ValueError(f"found ramp={list(self.ramp)}, expected a first and a last factor")
        for factor in self.ramp:
            _expect_weight("ramp", factor)

    def weight_at(self, progress: float) -> float:
        """The weight when the fraction ``progress`` (0 to 1) of the training is done."""
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
        """The unweighted loss [] in score units.

        Args:
            scores, relevance, chosen: [B, P]; ``chosen`` is the mask of the loss.
            one_key_score: u, read only with ``unit="one_key"``.
            context: name -> [B, P] further scores.
        """
        unit = one_key_score if self.unit == "one_key" else 1.0
        loss = self.loss
        if isinstance(loss, Against):
            loss = loss.bound(context or {}, unit=unit)
        return unit * loss(scores / unit, relevance, chosen)


@dataclass(frozen=True, kw_only=True)
class Objective:
    """L = sum over terms of weight * L_term + lambda_generation * L_gen (docs/method.md, 9.2).

    Terms of weight 0 are never evaluated; neither is L_gen with ``lambda_generation`` 0.
    ``generation_unit="one_key"`` counts lambda in one-key scores, because rank losses grow with
    the corpus and L_gen does not. The paper's 1000 is 2.6 keys of 382.

    Raises:
        ValueError: a setting is out of range, or every weight is 0.
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
        """The terms with a weight above 0."""
        return {name: term for name, term in self.terms.items() if term.weight > 0}

    @property
    def needs_one_key_score(self) -> bool:
        """Whether any active part has the unit "one_key"."""
        units = {term.unit for term in self.active.values()}
        if self.lambda_generation > 0:
            units.add(self.generation_unit)
        return "one_key" in units

    @property
    def compares_with(self) -> set[str]:
        """The names in ``context`` that the active terms need."""
        losses = (term.loss for term in self.active.values())
        return {name for x in losses if isinstance(x, Against) for name in x.inputs.values()}

    def check(self) -> None:
        """Compute everything once on a list of three passages.

        A loss or sampler with wrong settings then fails before hours of work, not after.
        """
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
        """The passages that each active term uses; only these need a gradient.

        Args:
            scores: [B, P] current scores (mined or recomputed); no gradient flows through them.
            relevance: [B, P] bool or grade.
            mask: [B, P] bool, the real passages of the padded lists.
            generator: random numbers; the same state gives the same choice.

        Returns:
            name -> bool [B, P]; all False for a question without a positive and a negative.
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
        """The loss to minimise and its parts for the log.

        Args:
            scores: [B, P] differentiable scores; they must be correct where a term has chosen.
            relevance: [B, P] bool or grade.
            chosen: the result of ``select``.
            generation_loss: [] L_gen; may be None if lambda_generation is 0.
            one_key_score: the scale of ``unit="one_key"``.
            context: name -> [B, P] further scores, for losses in ``Against``.
            progress: fraction of the training that is done, for terms with a ramp.

        Returns:
            (total [], name -> unweighted detached value, "generation" included).

        Raises:
            ValueError: L_gen is None although lambda_generation is above 0.
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
    """Clear ``chosen`` [B, P] for questions without a chosen positive and a chosen negative."""
    return chosen & contrast(relevance=relevance, mask=chosen)


def _expect_weight(name: str, value: float) -> None:
    if not (isinstance(value, int | float) and math.isfinite(value) and value >= 0):
        raise ValueError(f"found {name}={value}, expected a finite number, 0 or above; set {name}")
