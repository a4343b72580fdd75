"""Rank losses that compare with the scores of another model, a teacher or a reference.

Most rank losses need scores, relevance and mask. Some take further scores [B, P] by keyword.
``Against`` says which scores of the batch each keyword gets; neither the loss nor the batch has to
know the other's names:

    Term(loss=Against(loss=dpo, inputs={"reference": "mined_score"}), ...)

A batch has ``mined_score`` [B, P], the scores of the search that mined the lists, and those of the
teachers that ``Objective.compares_with`` names (``retrieval.teachers``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from torch import Tensor


class RankLoss(Protocol):
    """scores, relevance, mask [B, P] -> loss []."""

    def __call__(self, scores: Tensor, relevance: Tensor, mask: Tensor, /) -> Tensor: ...


class ComparingLoss(Protocol):
    """scores, relevance, mask [B, P] and further scores [B, P] by keyword -> loss []."""

    def __call__(
        self, scores: Tensor, relevance: Tensor, mask: Tensor, /, *args: Any, **inputs: Any
    ) -> Tensor: ...


@dataclass(frozen=True, kw_only=True)
class Against:
    """A loss with the names of its further scores.

    ``inputs`` maps each keyword of the loss to the name of scores in the batch, in score units.
    """

    loss: ComparingLoss
    inputs: Mapping[str, str]

    def with_scores(self, context: Mapping[str, Tensor], *, unit: float) -> RankLoss:
        """The loss with its further scores, divided by ``unit`` as its own scores are.

        Args:
            context: name -> [B, P] further scores of the batch, in score units.

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
