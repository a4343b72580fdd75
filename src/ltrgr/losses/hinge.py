"""Pairwise hinge losses: LTRGR's, with a fixed margin, and one with a relative margin."""

from __future__ import annotations

import torch
from torch import Tensor

from ltrgr.losses.pairs import mean_of_means, score_differences, split
from ltrgr.losses.ranges import Fraction, Weight


def margin_loss(scores: Tensor, relevance: Tensor, mask: Tensor, *, margin: Weight) -> Tensor:
    """Pairwise hinge loss, mean over the (positive, negative) pairs, then over questions.

        L = mean over (p, n) of max(0, s(q, n) - s(q, p) + margin)

    With the samplers ``top_pair`` and ``random_pair``, which choose one positive and one negative,
    this is L_rank1 and L_rank2 of LTRGR (Li et al., arXiv 2306.15222, sec. 4). The paper's margin
    is 500 score units (docs/method.md, 9.3).

    Args:
        scores: [B, P] passage scores, in the unit of ``margin``.
        relevance: [B, P] bool or grade; above zero is relevant.
        mask: [B, P] bool; passages outside it are ignored.
        margin: how far a positive must be above a negative, 0 or more.

    Returns:
        [] mean over the questions with a positive and a negative; 0 if there are none.

    Raises:
        ValueError: the margin is below 0, so a pair in the wrong order could cost nothing.

    Example:
        >>> import torch
        >>> s, r = torch.tensor([[3.0, 5.0]]), torch.tensor([[1, 0]])
        >>> margin_loss(s, r, torch.ones_like(s).bool(), margin=1.0).item()
        3.0
    """
    if not margin >= 0:
        raise ValueError(f"found margin={margin}, expected 0 or above; set loss.margin")
    positive, negative = split(relevance=relevance, mask=mask)
    gap, pairs = score_differences(scores=scores, positive=positive, negative=negative)
    return mean_of_means(values=torch.relu(gap + margin), where=pairs)


def relative_margin_loss(
    scores: Tensor, relevance: Tensor, mask: Tensor, *, share: Fraction
) -> Tensor:
    """Hinge loss with a margin that is a fraction of the positive's own score.

        L = mean over (p, n) of max(0, s(q, n) - s(q, p) + share * sg[s(q, p)])

    sg stops the gradient. Ours. The scores of one question can be ten times those of another, so a
    fixed margin is small for some questions and out of reach for others. If all scores are
    multiplied by a factor, so is the loss.

    Args:
        scores: [B, P] passage scores, any unit.
        relevance: [B, P] bool or grade; above zero is relevant.
        mask: [B, P] bool; passages outside it are ignored.
        share: the fraction, 0 to 1.

    Returns:
        [] mean over the questions with a positive and a negative; 0 if there are none.

    Raises:
        ValueError: the share is outside 0 to 1.

    Example:
        >>> import torch
        >>> s, r = torch.tensor([[4.0, 3.0]]), torch.tensor([[1, 0]])
        >>> loss = relative_margin_loss(s, r, torch.ones_like(s).bool(), share=0.5)
        >>> loss.item()  # 3 - 4 + 0.5 * 4
        1.0
    """
    if not 0 <= share <= 1:
        raise ValueError(f"found share={share}, expected 0 to 1; set loss.share")
    positive, negative = split(relevance=relevance, mask=mask)
    gap, pairs = score_differences(scores=scores, positive=positive, negative=negative)
    wanted = share * scores.detach().unsqueeze(2)
    return mean_of_means(values=torch.relu(gap + wanted), where=pairs)
