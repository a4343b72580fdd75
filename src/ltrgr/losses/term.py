"""One term of the objective: a rank loss on the passages that a sampler chooses."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from ltrgr.losses.against import Against, RankLoss
from ltrgr.losses.ranges import Unit, Weight
from ltrgr.losses.samplers import Sampler

UNITS = ("score", "one_key")


@dataclass(frozen=True, kw_only=True)
class Term:
    """A rank loss, a sampler, and the weight of the loss in the sum.

    ``unit`` is the unit in which the loss sees the scores, hence that of its margin, temperature or
    steepness. With "score" it sees the scores as they are. With "one_key" it sees them in multiples
    of the one-key score u, and its value is multiplied by u: ``u * loss(scores / u)``. A margin of
    1.0 is then one confident key seen once, on any corpus. As the value is in score units, the
    weights and lambda keep their meaning (docs/method.md, 9.3).

    Raises:
        ValueError: a setting is out of range; the message names it.
    """

    loss: RankLoss | Against
    sampler: Sampler
    weight: Weight = 1.0
    unit: Unit = "score"
    ramp: Sequence[Weight] = (1.0, 1.0)
    """Factors of the weight at the first and the last step, linear in between: a curriculum."""

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise ValueError(f"found unit={self.unit!r}, expected one of {UNITS}; set loss.unit")
        expect_weight("weight", self.weight)
        if len(self.ramp) != 2:
            raise ValueError(f"found ramp={list(self.ramp)}, expected a first and a last factor")
        for factor in self.ramp:
            expect_weight("ramp", factor)

    def in_units_of(self, one_key_score: float) -> BoundTerm:
        """The term with its unit as a number: ``one_key_score``, or 1 with ``unit="score"``."""
        return BoundTerm(term=self, unit=one_key_score if self.unit == "one_key" else 1.0)


@dataclass(frozen=True, kw_only=True)
class BoundTerm:
    """A term whose unit is a number of score units: ``unit * loss(scores / unit)``."""

    term: Term
    unit: float

    def weight_at(self, progress: float) -> float:
        """The weight when the fraction ``progress`` (0 to 1) of the training is done."""
        first, last = self.term.ramp
        return self.term.weight * (first + (last - first) * progress)

    def __call__(
        self,
        scores: Tensor,
        relevance: Tensor,
        chosen: Tensor,
        *,
        context: Mapping[str, Tensor] | None = None,
    ) -> Tensor:
        """The unweighted loss [] in score units.

        Args:
            scores: [B, P] in score units.
            relevance: [B, P] bool or grade.
            chosen: [B, P] bool, the mask of the loss.
            context: name -> [B, P] further scores, for a loss in ``Against``.
        """
        loss = self.term.loss
        if isinstance(loss, Against):
            loss = loss.with_scores(context or {}, unit=self.unit)
        return self.unit * loss(scores / self.unit, relevance, chosen)


def expect_weight(name: str, value: float) -> None:
    """Raise ValueError if the setting ``name`` is not a finite number of 0 or above."""
    if not (isinstance(value, int | float) and math.isfinite(value) and value >= 0):
        raise ValueError(f"found {name}={value}, expected a finite number, 0 or above; set {name}")
