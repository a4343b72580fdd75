"""ListMLE: the likelihood of the correct order under the Plackett-Luce model."""

from __future__ import annotations

import torch
from torch import Tensor

from ltrgr.losses.pairs import contrast, expect_above_zero, mean_of_means
from ltrgr.losses.ranges import Positive


def listmle(
    scores: Tensor, relevance: Tensor, mask: Tensor, *, temperature: Positive = 1.0
) -> Tensor:
    """Negative log-likelihood of the order by relevance, mean over places, then over questions.

        L = -(1/n) sum over i of log( e^{s_i/t} / sum over k >= i of e^{s_k/t} )

    i runs over the n passages sorted by relevance. Xia et al. 2008, "Listwise Approach to Learning
    to Rank: Theory and Algorithm", which has the sum over places. Equal grades keep list order, and
    a mined list has stage 1's order. So with grades 0 and 1 only the terms of the first places
    teach that positives come first; all others teach stage 1's order of the negatives.

    Args:
        scores: [B, P] passage scores.
        relevance: [B, P] bool or grade; higher comes first.
        mask: [B, P] bool; passages outside it are ignored.
        temperature: t > 0, in the unit of the scores.

    Returns:
        [] mean over the questions with a positive and a negative; 0 if there are none.

    Raises:
        ValueError: the temperature is not above zero.

    Example:
        >>> import torch
        >>> s, r = torch.zeros(1, 2), torch.tensor([[0, 1]])
        >>> round(listmle(s, r, torch.ones_like(s).bool()).item(), 4)  # log(2) / 2
        0.3466
    """
    expect_above_zero("listmle", temperature=temperature)
    surprise, placed = _surprises(scores, relevance, mask, temperature=temperature)
    return mean_of_means(values=surprise, where=placed)


def position_aware_listmle(
    scores: Tensor, relevance: Tensor, mask: Tensor, *, temperature: Positive = 1.0
) -> Tensor:
    """ListMLE with falling weights of the places, mean over questions.

        L = -sum over i of a_i log( e^{s_i/t} / sum over k >= i of e^{s_k/t} ),
        a_i = (2^{n-i} - 1) / sum over k of (2^{n-k} - 1)

    Lan et al. 2014, "Position-Aware ListMLE: A Sequential Learning Process for Ranking" (UAI). The
    denominator of a_i is ours, so that long and short lists have losses of one scale.

    Args:
        scores, relevance, mask, temperature: as in ``listmle``.

    Returns:
        [] mean over the questions with a positive and a negative; 0 if there are none.

    Raises:
        ValueError: the temperature is not above zero.

    Example:
        >>> import torch
        >>> s, r = torch.zeros(1, 3), torch.tensor([[0, 1, 0]])
        >>> loss = position_aware_listmle(s, r, torch.ones_like(s).bool())
        >>> round(loss.item(), 4)  # (3 log 3 + 1 log 2) / 4
        0.9972
    """
    expect_above_zero("position_aware_listmle", temperature=temperature)
    surprise, placed = _surprises(scores, relevance, mask, temperature=temperature)
    place = torch.arange(1, scores.shape[1] + 1, device=scores.device, dtype=scores.dtype)
    # 2^{n-i} overflows for a long list; 2^{n-i} / 2^n does not.
    n = placed.sum(dim=1, keepdim=True).to(scores.dtype)
    weight = (torch.exp2(-place) - torch.exp2(-n)).masked_fill(~placed, 0.0)
    total = weight.sum(dim=1, keepdim=True)
    weighted = (weight * surprise).sum(dim=1, keepdim=True) / torch.where(total > 0, total, 1.0)
    return mean_of_means(values=weighted, where=contrast(relevance=relevance, mask=mask))


def _surprises(
    scores: Tensor, relevance: Tensor, mask: Tensor, *, temperature: Positive
) -> tuple[Tensor, Tensor]:
    """-log p of the passage at each place among the passages that remain, and the real places.

    Returns:
        Both [B, P], by place. A question without a contrast has no real place.
    """
    mask = mask & contrast(relevance=relevance, mask=mask)
    grade = relevance.to(scores.dtype).masked_fill(~mask, -torch.inf)
    order = torch.sort(grade, dim=1, descending=True, stable=True).indices
    placed = mask.gather(1, order)
    logits = scores.masked_fill(~mask, 0.0).gather(1, order) / temperature
    # Padding sorts last, hence first in the flipped sums, to which the floor adds nothing.
    floored = logits.masked_fill(~placed, torch.finfo(logits.dtype).min / 2)
    remaining = floored.flip(1).logcumsumexp(dim=1).flip(1)
    return (remaining - floored).masked_fill(~placed, 0.0), placed
