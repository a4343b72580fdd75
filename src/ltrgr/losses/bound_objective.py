"""The objective of one run, in which every unit is a number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ltrgr.losses.term import BoundTerm

GENERATION = "generation"
"""the name of L_gen among the parts of the objective"""


@dataclass(frozen=True, kw_only=True)
class BoundObjective:
    """L = sum over terms of weight * L_term + lambda_generation * L_gen, all in score units.

    ``Objective.in_units_of`` makes it, once for a run.
    """

    terms: Mapping[str, BoundTerm]
    """the terms with a weight above 0"""
    lambda_generation: float
    """lambda in score units; with 0, L_gen takes no part"""
    one_key_score: float
    """u, the number of score units in one key"""

    def __call__(
        self,
        scores: Tensor,
        relevance: Tensor,
        chosen: Mapping[str, Tensor],
        generation_loss: Tensor | None,
        *,
        context: Mapping[str, Tensor] | None = None,
        progress: float = 0.0,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss to minimise and its parts for the log.

        Args:
            scores: [B, P] differentiable scores; they must be correct where a term has chosen.
            relevance: [B, P] bool or grade.
            chosen: the result of ``Objective.select``.
            generation_loss: [] L_gen; may be None if lambda_generation is 0.
            context: name -> [B, P] further scores, for losses in ``Against``.
            progress: fraction of the training that is done, for terms with a ramp.

        Returns:
            (total [], name -> unweighted detached value, "generation" included).

        Raises:
            ValueError: L_gen is None although lambda_generation is above 0.
        """
        parts = {
            name: term(scores, relevance, chosen[name], context=context)
            for name, term in self.terms.items()
        }
        weights = {name: term.weight_at(progress) for name, term in self.terms.items()}
        if self.lambda_generation > 0:
            if generation_loss is None:
                raise ValueError(
                    "found no generation loss, expected one because lambda_generation is above 0; "
                    "set rank.targets_per_question above 0, or loss.lambda_generation=0"
                )
            parts[GENERATION], weights[GENERATION] = generation_loss, self.lambda_generation
        total = torch.stack([weights[name] * part for name, part in parts.items()]).sum()
        return total, {name: part.detach() for name, part in parts.items()}
