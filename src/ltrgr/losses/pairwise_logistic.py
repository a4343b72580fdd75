"""Logistic losses of pairs of passages: RankNet, and DPO with stage 1 as the reference."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import softplus

from ltrgr.losses.pairs import expect_above_zero, mean_of_means, score_differences, split
from ltrgr.losses.ranges import Positive


def ranknet(scores: Tensor, relevance: Tensor, mask: Tensor, *, sigma: Positive = 1.0) -> Tensor:
    """Logistic loss of the (positive, negative) pairs, mean over pairs, then over questions.

        L = mean over (p, n) of log(1 + exp(sigma * (s(q, n) - s(q, p))))

    Burges et al. 2005, "Learning to Rank using Gradient Descent", with target probability 1.

    Args:
        scores: [B, P] passage scores.
        relevance: [B, P] bool or grade; above zero is relevant.
        mask: [B, P] bool; passages outside it are ignored.
        sigma: steepness > 0, in 1 / unit of the scores.

    Returns:
        [] mean over the questions with a positive and a negative; 0 if there are none.

    Raises:
        ValueError: sigma is not above zero.

    Example:
        >>> import torch
        >>> s, r = torch.zeros(1, 2), torch.tensor([[1, 0]])
        >>> round(ranknet(s, r, torch.ones_like(s).bool()).item(), 4)  # log 2
        0.6931
    """
    expect_above_zero("ranknet", sigma=sigma)
    positive, negative = split(relevance=relevance, mask=mask)
    gap, pairs = score_differences(scores=scores, positive=positive, negative=negative)
    return mean_of_means(values=softplus(sigma * gap), where=pairs)


def dpo(
    scores: Tensor, relevance: Tensor, mask: Tensor, *, reference: Tensor, beta: Positive = 1.0
) -> Tensor:
    """Logistic loss of each margin minus the reference's, mean over pairs, then over questions.

        L = mean over (p, n) of -log sigmoid( beta [(s(q,p) - s(q,n)) - (s_0(q,p) - s_0(q,n))] )

    Rafailov et al. 2023, "Direct Preference Optimization", arXiv 2305.18290, eq. 7, with passage
    scores in place of log-probabilities of answers. s_0 are the mined scores, those of the stage-1
    model: by law 1 (docs/method.md, section 10) they are the model's scores before the first step.
    Every pair therefore starts at log 2, even if stage 1 orders it well; the loss rewards
    improvement only.

    Args:
        scores: [B, P] passage scores.
        relevance: [B, P] bool or grade; above zero is relevant.
        mask: [B, P] bool; passages outside it are ignored.
        reference: [B, P] s_0, in the unit of the scores; no gradient flows through it.
        beta: steepness > 0, in 1 / unit of the scores.

    Returns:
        [] mean over the questions with a positive and a negative; 0 if there are none.

    Raises:
        ValueError: beta is not above zero.

    Example:
        >>> import torch
        >>> s, r = torch.tensor([[3.0, 9.0]]), torch.tensor([[1, 0]])
        >>> round(dpo(s, r, torch.ones_like(s).bool(), reference=s).item(), 4)  # log 2
        0.6931
    """
    expect_above_zero("dpo", beta=beta)
    positive, negative = split(relevance=relevance, mask=mask)
    gap, pairs = score_differences(
        scores=scores - reference.detach(), positive=positive, negative=negative
    )
    return mean_of_means(values=softplus(beta * gap), where=pairs)
