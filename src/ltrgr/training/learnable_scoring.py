"""The scorer's numbers as stage 2 sees them: fixed, or parameters of their own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import softplus

from ltrgr.scoring.differentiable import coverage_at
from ltrgr.scoring.scoring_settings import ScoringSettings

LEARNABLE = ("exponent", "coverage", "view_weights")
"""in the order of the formula: a, b and the factors u of the views"""


class LearnableScoring(nn.Module):
    """A ``ScoringSettings`` of which some numbers are learned, each kept in its range.

    ``a = softplus(x)`` and ``u = softplus(x)`` stay above 0, ``b = sigmoid(x)`` between 0 and 1;
    each x begins where the scoring's own number is. With nothing learned there is no parameter and
    the arithmetic is that of the scoring itself.

    Args:
        scoring: of the first lists; what is not learned stays as it says.
        views: names of the family's views, in its order.
        learnable_parameters: some of ``LEARNABLE``.

    Raises:
        ValueError: a number that begins at the end of its range, where it has no gradient.
    """

    offsets: Tensor
    fixed_weights: Tensor

    def __init__(
        self, scoring: ScoringSettings, *, views: Sequence[str], learnable_parameters: Sequence[str]
    ) -> None:
        super().__init__()
        self.given, self._views = scoring, list(views)
        weights, offsets = scoring.of_views(views)
        self.register_buffer("fixed_weights", torch.from_numpy(weights).float(), persistent=False)
        self.register_buffer("offsets", torch.from_numpy(offsets).float(), persistent=False)
        begins = {
            "exponent": [scoring.exponent],
            "coverage": [scoring.coverage],
            "view_weights": weights.tolist(),
        }
        chosen = expect_learnable(learnable_parameters)
        _expect_inside(scoring, {name: begins[name] for name in chosen})
        inverse = {"coverage": _logit}
        self.raw = nn.ParameterDict(
            {
                name: nn.Parameter(
                    torch.tensor([inverse.get(name, _inverse_softplus)(v) for v in begins[name]])
                )
                for name in chosen
            }
        )

    @property
    def exponent(self) -> Tensor | None:
        """[] a where it is learned."""
        return softplus(self.raw["exponent"][0]) if "exponent" in self.raw else None

    @property
    def coverage(self) -> Tensor | None:
        """[] b where it is learned."""
        return torch.sigmoid(self.raw["coverage"][0]) if "coverage" in self.raw else None

    @property
    def view_weights(self) -> Tensor:
        """[W] u of the family's views."""
        if "view_weights" not in self.raw:
            return self.fixed_weights
        return softplus(self.raw["view_weights"])

    @torch.no_grad()
    def scoring(self) -> ScoringSettings:
        """The scoring with the numbers as they are now: what search uses."""
        if not self.raw:
            return self.given
        exponent, coverage = self.exponent, self.coverage
        weights = self.view_weights.tolist()
        return replace(
            self.given,
            exponent=self.given.exponent if exponent is None else float(exponent),
            coverage=self.given.coverage if coverage is None else float(coverage),
            view_weights=dict(zip(self._views, weights, strict=True))
            if "view_weights" in self.raw
            else self.given.view_weights,
        )

    def as_given(self, coverage: NDArray[np.float32]) -> NDArray[np.float32]:
        """Convert coverage mined with ``scoring()`` to the b of ``given``, as lists store it."""
        now = self.scoring().coverage
        if now == self.given.coverage:
            return coverage
        return coverage_at(self.given.coverage, coverage, mined_at=now).astype(np.float32)

    def figures(self) -> dict[str, Tensor]:
        """name -> learned number, detached, for the log; ``view_weight_<view>`` for the views."""
        found = {"exponent": self.exponent, "coverage": self.coverage}
        if "view_weights" in self.raw:
            named = zip(self._views, self.view_weights, strict=True)
            found |= {f"view_weight_{view}": weight for view, weight in named}
        return {name: value.detach() for name, value in found.items() if value is not None}


def expect_learnable(names: Sequence[str]) -> tuple[str, ...]:
    """The names in the formula's order, each once.

    Raises:
        ValueError: a name that is not learnable; says which are.
    """
    unknown = [names] if isinstance(names, str) else sorted(set(names) - set(LEARNABLE))
    if unknown:
        raise ValueError(
            f"rank.learnable_parameters names {unknown}: expected a list of some of {LEARNABLE}"
        )
    return tuple(name for name in LEARNABLE if name in names)


def _expect_inside(scoring: ScoringSettings, begins: dict[str, list[float]]) -> None:
    if "exponent" in begins and scoring.transform is not None:
        raise ValueError(
            "rank.learnable_parameters has the exponent, but scoring.transform takes its place; "
            "remove one"
        )
    for name, values in begins.items():
        if min(values) <= 0 or (name == "coverage" and max(values) >= 1):
            end = "above 0" + (" and below 1" if name == "coverage" else "")
            raise ValueError(
                f"scoring.{name} begins at {values[0] if len(values) == 1 else values}: expected "
                f"{end}, to be learned from there; set it, or leave it out of "
                "rank.learnable_parameters"
            )


def _inverse_softplus(value: float) -> float:
    return value + math.log(-math.expm1(-value))


def _logit(value: float) -> float:
    return math.log(value) - math.log1p(-value)
