"""The margin-based rank loss of LTRGR."""

from __future__ import annotations

import torch
from torch import Tensor

from ltrgr.losses.pairs import deficits, mean_of_means, split


def margin(scores: Tensor, relevance: Tensor, mask: Tensor, *, margin: float) -> Tensor:
    """Pairwise hinge, mean over the positive x negative pairs of a question, then over questions.

        L = mean over (p, n) of max(0, s(q, n) - s(q, p) + margin)

    With one positive and one negative chosen by a sampler this is L_rank1 (``top``) and L_rank2
    (``random``) of LTRGR (Li et al. 2023, arXiv 2306.15222, sec. 4), there with margin = 500.

    Args:
        scores: [B, P] passage scores, in the unit of ``margin``.
        relevance: [B, P] bool or grade; above zero is relevant.
        mask: [B, P] bool; passages outside it are not looked at.
        margin: how far a positive has to stand above a negative.

    Returns:
        [] mean over the questions with a positive and a negative; 0 if there are none.

    Example:
        >>> import torch
        >>> s, r = torch.tensor([[3.0, 5.0]]), torch.tensor([[1, 0]])
        >>> margin(s, r, torch.ones_like(s).bool(), margin=1.0).item()
        3.0
    """
    positive, negative = split(relevance=relevance, mask=mask)
    gap, pairs = deficits(scores=scores, positive=positive, negative=negative)
    return mean_of_means(values=torch.relu(gap + margin), where=pairs)
