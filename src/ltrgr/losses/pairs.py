"""What the rank losses share: every pair of a relevant and an irrelevant passage; averages."""

from __future__ import annotations

from torch import Tensor


def split(*, relevance: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Positives and negatives of each rank list, both bool [B, P].

    A passage is a positive when its ``relevance`` [B, P] (bool or grade) is above zero and its
    ``mask`` [B, P] is true, a negative when it is masked in and not relevant.
    """
    relevant = relevance > 0
    return relevant & mask.bool(), ~relevant & mask.bool()


def deficits(*, scores: Tensor, positive: Tensor, negative: Tensor) -> tuple[Tensor, Tensor]:
    """How far each negative stands above each positive: s_neg - s_pos.

    Shapes: ``scores``, ``positive``, ``negative`` [B, P] -> (differences [B, P, P] indexed
    [question, positive, negative], bool mask of the real pairs [B, P, P]).
    """
    # Passages that nobody scored may hold anything, infinities included; a zero keeps NaN out of
    # the backward pass, where 0 * inf would put it.
    known = scores.masked_fill(~(positive | negative), 0.0)
    pairs = positive.unsqueeze(2) & negative.unsqueeze(1)
    return known.unsqueeze(1) - known.unsqueeze(2), pairs


def mean_of_means(*, values: Tensor, where: Tensor) -> Tensor:
    """Mean of ``values`` [B, ...] within each question, then over the questions that have any.

    ``where`` (bool, same shape) says which values count. A batch without any gives exactly 0,
    still connected to the graph, with gradient 0.
    """
    kept = values.masked_fill(~where, 0.0).flatten(1).sum(dim=1)
    counts = where.flatten(1).sum(dim=1)
    questions = (counts > 0).sum().clamp(min=1)
    return (kept / counts.clamp(min=1)).sum() / questions
