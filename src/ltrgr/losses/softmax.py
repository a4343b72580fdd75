"""Softmax cross-entropies over a rank list: infoNCE (LTRGR's list-wise ablation) and ListNet."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import softplus

from ltrgr.losses.pairs import contrast, expect_above_zero, mean_of_means, split
from ltrgr.losses.ranges import Positive


def infonce(
    scores: Tensor, relevance: Tensor, mask: Tensor, *, temperature: Positive = 1.0
) -> Tensor:
    """Softmax cross-entropy of each positive against all negatives of its question.

        L = mean over p of -log( e^{s(q,p)/t} / (e^{s(q,p)/t} + sum over n of e^{s(q,n)/t}) )

    van den Oord et al. 2018, arXiv 1807.03748. Positives do not compete: the denominator of each
    holds itself and the negatives only, so the loss never pushes a second relevant passage down.
    Every question has the same weight, however many positives it has.

    Args:
        scores: [B, P] passage scores.
        relevance: [B, P] bool or grade; above zero is relevant.
        mask: [B, P] bool; passages outside it are ignored.
        temperature: t > 0, in the unit of the scores.

    Returns:
        [] mean over the questions with a positive and a negative; 0 if there are none.

    Raises:
        ValueError: the temperature is not above zero.

    Example:
        >>> import torch
        >>> s, r = torch.zeros(1, 4), torch.tensor([[1, 0, 0, 0]])
        >>> round(infonce(s, r, torch.ones_like(s).bool()).item(), 4)  # log 4
        1.3863
    """
    expect_above_zero("infonce", temperature=temperature)
    positive, negative = split(relevance=relevance, mask=mask)
    logits = scores.masked_fill(~(positive | negative), 0.0) / temperature
    # The lowest finite number, not -inf, which would give NaN for a question without negatives.
    floor = torch.finfo(logits.dtype).min
    rivals = torch.logsumexp(logits.masked_fill(~negative, floor), dim=1, keepdim=True)
    # -log(e^s / (e^s + e^rivals)) = log(1 + e^(rivals - s))
    counted = positive & negative.any(dim=1, keepdim=True)
    return mean_of_means(values=softplus(rivals - logits), where=counted)


def listnet(
    scores: Tensor,
    relevance: Tensor,
    mask: Tensor,
    *,
    temperature: Positive = 1.0,
    label_temperature: Positive = 1.0,
) -> Tensor:
    """Top-one cross-entropy from the labels' distribution to the scores', mean over questions.

        L = -sum over p of P_y(p) log P_s(p),  P_y = softmax(y / t_y),  P_s = softmax(s / t)

    Cao et al. 2007, "Learning to Rank: From Pairwise Approach to Listwise Approach", which has
    t = t_y = 1. With grades 0 and 1 a positive then weighs only e times as much as a negative, too
    little in a list of 100. A small t_y moves P_y onto the positives. Positives compete with each
    other; in ``infonce`` they do not.

    Args:
        scores: [B, P] passage scores.
        relevance: [B, P] bool or grade.
        mask: [B, P] bool; passages outside it are ignored.
        temperature: t > 0, in the unit of the scores.
        label_temperature: t_y > 0, in grades.

    Returns:
        [] mean over the questions with a positive and a negative; 0 if there are none.

    Raises:
        ValueError: a temperature is not above zero.

    Example:
        >>> import torch
        >>> s, r = torch.zeros(1, 4), torch.tensor([[1, 0, 0, 0]])
        >>> round(listnet(s, r, torch.ones_like(s).bool()).item(), 4)  # log 4
        1.3863
    """
    expect_above_zero("listnet", temperature=temperature, label_temperature=label_temperature)
    # The lowest finite number, not -inf, which would give NaN for a list of padding alone.
    floor = torch.finfo(scores.dtype).min
    labels = (relevance.to(scores.dtype) / label_temperature).masked_fill(~mask, floor)
    logits = scores.masked_fill(~mask, 0.0) / temperature
    log_first = torch.log_softmax(logits.masked_fill(~mask, floor), dim=1).masked_fill(~mask, 0.0)
    cross_entropy = -(torch.softmax(labels, dim=1) * log_first).sum(dim=1, keepdim=True)
    return mean_of_means(values=cross_entropy, where=contrast(relevance=relevance, mask=mask))
