"""RankNet, the logistic pairwise rank loss."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import softplus

from ltrgr.losses.pairs import mean_of_means, score_differences, split


def ranknet(scores: Tensor, relevance: Tensor, mask: Tensor, *, sigma: float = 1.0) -> Tensor:
    """Logistic loss of the (positive, negative) pairs, mean over pairs, then over questions.

        L = mean over (p, n) of log(1 + exp(sigma * (s(q, n) - s(q, p))))

    Burges et al. 2005, "Learning to Rank using Gradient Descent", with target probability 1.

    Args:
        scores: [B, P] passage scores.
        relevance: [B, P] bool or grade; above zero is relevant.
        mask: [B, P] bool; passages outside it are ignored.
        sigma: steepness, in 1 / unit of the scores.

    Returns:
        [] mean over the questions with a positive and a negative; 0 if there are none.

    Example:
        >>> import torch
        >>> s, r = torch.zeros(1, 2), torch.tensor([[1, 0]])
        >>> round(ranknet(s, r, torch.ones_like(s).bool()).item(), 4)  # log 2
        0.6931
    """
    positive, negative = split(relevance=relevance, mask=mask)
    gap, pairs = score_differences(scores=scores, positive=positive, negative=negative)
    return mean_of_means(values=softplus(sigma * gap), where=pairs)
