"""Samplers choose the passages of a rank list for a rank loss.

A sampler maps (scores, relevance, mask [B, P], generator) to the chosen passages, a bool [B, P]
inside the mask. Among equal scores the earlier passage of the list comes first. In a list without
a positive (or a negative) a sampler chooses what there is; the objective then leaves the list out.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from ltrgr.losses.dcg import ranks
from ltrgr.losses.pairs import split
from ltrgr.losses.ranges import Number


class Sampler(Protocol):
    """scores, relevance, mask [B, P] -> the chosen passages, bool [B, P]."""

    def __call__(
        self, scores: Tensor, relevance: Tensor, mask: Tensor, /, *, generator: torch.Generator
    ) -> Tensor: ...


def top_pair(
    scores: Tensor, relevance: Tensor, mask: Tensor, *, generator: torch.Generator
) -> Tensor:
    """The highest-scored positive and the highest-scored negative (L_rank1 of LTRGR, sec. 4)."""
    return hard_negatives(scores, relevance, mask, generator=generator, negatives=1)


def random_pair(
    scores: Tensor, relevance: Tensor, mask: Tensor, *, generator: torch.Generator
) -> Tensor:
    """One positive and one negative, each uniformly at random (L_rank2 of LTRGR, sec. 4)."""
    positive, negative = split(relevance=relevance, mask=mask)
    uniforms = torch.rand(scores.shape, generator=generator, device=generator.device)
    uniforms = uniforms.to(scores.device)
    return _first(uniforms, positive, 1) | _first(uniforms, negative, 1)


def all_passages(
    scores: Tensor, relevance: Tensor, mask: Tensor, *, generator: torch.Generator
) -> Tensor:
    """The whole rank list."""
    return mask.bool()


def hard_negatives(
    scores: Tensor,
    relevance: Tensor,
    mask: Tensor,
    *,
    generator: torch.Generator,
    negatives: Number,
) -> Tensor:
    """The highest-scored positive and the ``negatives`` highest-scored negatives.

    With fewer negatives than that, all are chosen.

    Raises:
        ValueError: ``negatives`` is not a whole number of 1 or more.
    """
    _expect_one_or_more("hard_negatives", negatives=negatives)
    positive, negative = split(relevance=relevance, mask=mask)
    return _first(scores, positive, 1) | _first(scores, negative, negatives)


def stratified_negatives(
    scores: Tensor,
    relevance: Tensor,
    mask: Tensor,
    *,
    generator: torch.Generator,
    bins: Number,
) -> Tensor:
    """The highest-scored positive and one random negative of each of ``bins`` bins of ranks.

    The negatives, ranked by score, are cut into bins whose sizes differ by at most one, so that
    hard and easy negatives are equally frequent. With fewer negatives than bins, all are chosen.

    Raises:
        ValueError: ``bins`` is not a whole number of 1 or more.
    """
    _expect_one_or_more("stratified_negatives", bins=bins)
    positive, negative = split(relevance=relevance, mask=mask)
    rank = ranks(scores=scores, mask=negative) - 1
    size = negative.sum(dim=1, keepdim=True)
    bin_of = torch.where(size > bins, rank * bins // size.clamp(min=1), rank)
    # Sorting by bin number plus a random number below 1 shuffles each bin.
    uniforms = torch.rand(
        scores.shape, generator=generator, device=generator.device, dtype=torch.float64
    )
    key = (uniforms.to(scores.device) + bin_of).masked_fill(~negative, torch.inf)
    order = torch.sort(key, dim=1, stable=True).indices
    ordered = bin_of.gather(1, order)
    opens = torch.ones_like(negative)
    opens[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    taken = torch.zeros_like(negative).scatter(1, order, opens & negative.gather(1, order))
    return _first(scores, positive, 1) | taken


def _first(values: Tensor, candidates: Tensor, k: int) -> Tensor:
    """The k candidates of each row with the highest values; ties go by position; bool [B, P]."""
    order = torch.sort(values, dim=1, descending=True, stable=True).indices
    ranked = candidates.gather(1, order)
    taken = ranked & (ranked.cumsum(dim=1) <= k)
    return torch.zeros_like(candidates).scatter(1, order, taken)


def _expect_one_or_more(sampler: str, **settings: int) -> None:
    for name, value in settings.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ValueError(
                f"{sampler}: found {name}={value}, expected a whole number, 1 or more; "
                f"set the sampler's {name}"
            )
