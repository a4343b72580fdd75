"""The stage-2 objective: weighted terms, each a rank loss and a sampler, plus lambda * L_gen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ltrgr.losses.against import Against
from ltrgr.losses.bound_objective import GENERATION, BoundObjective
from ltrgr.losses.pairs import contrast
from ltrgr.losses.ranges import Unit, Weight
from ltrgr.losses.term import UNITS, Term, expect_weight


@dataclass(frozen=True, kw_only=True)
class Objective:
    """L = sum over terms of weight * L_term + lambda_generation * L_gen (docs/method.md, 9.2).

    It holds the settings; ``in_units_of`` makes what computes L. Terms of weight 0 are never
    evaluated; neither is L_gen with ``lambda_generation`` 0. ``generation_unit="one_key"`` counts
    lambda in one-key scores, because rank losses grow with the corpus and L_gen does not. The
    paper's 1000 is 2.6 keys of 382.

    Raises:
        ValueError: a setting is out of range, or every weight is 0.
    """

    terms: Mapping[str, Term]
    lambda_generation: Weight
    generation_unit: Unit = "score"

    def __post_init__(self) -> None:
        expect_weight("lambda_generation", self.lambda_generation)
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
        """The names of the further scores that the active terms need in a batch."""
        losses = (term.loss for term in self.active.values())
        return {name for x in losses if isinstance(x, Against) for name in x.inputs.values()}

    def check(self) -> None:
        """Compute the loss of one list of three passages.

        A loss or a sampler with a wrong setting then fails before any work begins.
        """
        scores, relevance = torch.tensor([[2.0, 1.0, 0.0]]), torch.tensor([[0, 1, 0]])
        everything = torch.ones_like(scores, dtype=torch.bool)
        generator = torch.Generator().manual_seed(0)
        self.in_units_of(1.0)(
            scores,
            relevance,
            self.select(scores, relevance, everything, generator=generator),
            torch.zeros(()),
            context=dict.fromkeys(self.compares_with, scores),
        )

    def in_units_of(self, one_key_score: float) -> BoundObjective:
        """The objective with every unit as a number; to be made once for a run.

        Args:
            one_key_score: u, the score units of one key (``scoring.scale.one_key_score``); it has
                no effect where ``needs_one_key_score`` is False.

        Raises:
            ValueError: u is not a finite number above 0.
        """
        if not (math.isfinite(one_key_score) and one_key_score > 0):
            raise ValueError(f"found one_key_score={one_key_score}, expected a number above 0")
        unit = one_key_score if self.generation_unit == "one_key" else 1.0
        return BoundObjective(
            terms={name: term.in_units_of(one_key_score) for name, term in self.active.items()},
            lambda_generation=unit * self.lambda_generation,
            one_key_score=one_key_score,
        )

    def select(
        self, scores: Tensor, relevance: Tensor, mask: Tensor, *, generator: torch.Generator
    ) -> dict[str, Tensor]:
        """The passages that each active term uses; only these need a gradient.

        Args:
            scores: [B, P] scores of the mining; no gradient flows through them.
            relevance: [B, P] bool or grade.
            mask: [B, P] bool, the real passages of the padded lists.
            generator: of random numbers; the same state gives the same choice.

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


def _contrasting(chosen: Tensor, relevance: Tensor) -> Tensor:
    """Clear ``chosen`` [B, P] for questions without a chosen positive and a chosen negative."""
    return chosen & contrast(relevance=relevance, mask=chosen)
