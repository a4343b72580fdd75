"""Shared parts of the rank losses: relevant and irrelevant passages, their pairs, averages."""

from __future__ import annotations

from torch import Tensor


def split(*, relevance: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Positives and negatives of each rank list, both bool [B, P].

    Args:
        relevance: [B, P] bool or grade; positives are above zero, negatives are not.
        mask: [B, P] bool; passages outside it are neither.
    """
    relevant = relevance > 0
    return relevant & mask.bool(), ~relevant & mask.bool()


def contrast(*, relevance: Tensor, mask: Tensor) -> Tensor:
    """Questions with a contrast, bool [B, 1]: the mask holds a positive and a negative."""
    positive, negative = split(relevance=relevance, mask=mask)
    return positive.any(dim=1, keepdim=True) & negative.any(dim=1, keepdim=True)


def score_differences(
    *, scores: Tensor, positive: Tensor, negative: Tensor
) -> tuple[Tensor, Tensor]:
    """Score differences s_neg - s_pos of all pairs.

    Args:
        scores, positive, negative: [B, P]

    Returns:
        (differences [B, P, P] indexed [question, positive, negative], bool mask of the real pairs
        [B, P, P]).
    """
    pairs = positive.unsqueeze(2) & negative.unsqueeze(1)
    return _gaps(scores=scores, mask=positive | negative), pairs


def graded_score_differences(
    *, scores: Tensor, relevance: Tensor, mask: Tensor
) -> tuple[Tensor, Tensor]:
    """Score differences s_j - s_i of all pairs with y_i > y_j, in questions with a contrast.

    Args:
        scores, relevance, mask: [B, P]

    Returns:
        (differences [B, P, P] indexed [question, i, j], bool mask of these pairs [B, P, P]).
    """
    grade = relevance.to(scores.dtype)
    pairs = grade.unsqueeze(2) > grade.unsqueeze(1)
    pairs = pairs & all_pairs(mask=mask & contrast(relevance=relevance, mask=mask))
    return _gaps(scores=scores, mask=mask), pairs


def all_pairs(*, mask: Tensor) -> Tensor:
    """Ordered pairs of different passages inside the ``mask`` [B, P]; bool [B, P, P]."""
    pairs = mask.unsqueeze(2) & mask.unsqueeze(1)
    pairs.diagonal(dim1=1, dim2=2).fill_(False)
    return pairs


def mean_of_means(*, values: Tensor, where: Tensor) -> Tensor:
    """Mean of ``values`` within each question, then over the questions that have any.

    Args:
        values: [B, ...]
        where: bool, same shape; True for values that count.

    Returns:
        []. Without any value it is exactly 0, still connected to the graph, with gradient 0.
    """
    kept = values.masked_fill(~where, 0.0).flatten(1).sum(dim=1)
    counts = where.flatten(1).sum(dim=1)
    questions = (counts > 0).sum().clamp(min=1)
    return (kept / counts.clamp(min=1)).sum() / questions


def expect_above_zero(loss: str, **settings: float) -> None:
    """Raise ValueError if a setting of ``loss`` is not above zero."""
    for name, value in settings.items():
        if not value > 0:
            raise ValueError(
                f"{loss}: found {name}={value}, expected a number above 0; "
                f"set it with loss.{name}=..."
            )


def _gaps(*, scores: Tensor, mask: Tensor) -> Tensor:
    # Passages outside the mask may hold any value, infinities included. A zero instead keeps
    # 0 * inf = NaN out of the backward pass.
    known = scores.masked_fill(~mask, 0.0)
    return known.unsqueeze(1) - known.unsqueeze(2)
