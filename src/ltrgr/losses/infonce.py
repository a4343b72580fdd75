"""InfoNCE, the list-wise contrastive loss of LTRGR's ablation."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import softplus

from ltrgr.losses.pairs import expect_above_zero, mean_of_means, split


def infonce(scores: Tensor, relevance: Tensor, mask: Tensor, *, temperature: float = 1.0) -> Tensor:
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
