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

    Raises:
        ValueError: a margin below 0, which would call a wrong order right.

    Example:
        >>> import torch
        >>> s, r = torch.tensor([[3.0, 5.0]]), torch.tensor([[1, 0]])
        >>> margin(s, r, torch.ones_like(s).bool(), margin=1.0).item()
        3.0
    """
    if not margin >= 0:
        raise ValueError(f"found margin={margin}, expected 0 or above; set loss.margin")
    positive, negative = split(relevance=relevance, mask=mask)
    gap, pairs = deficits(scores=scores, positive=positive, negative=negative)
    return mean_of_means(values=torch.relu(gap + margin), where=pairs)


def relative_margin(scores: Tensor, relevance: Tensor, mask: Tensor, *, share: float) -> Tensor:
    """A margin that follows the score scale: a share of the positive's own score.

        L = mean over (p, n) of max(0, s(q, n) - (1 - share) s(q, p)),  the share's s(q, p) constant

    Ours. Scores of this family span an order of magnitude between questions: a fixed margin is
    nothing for the sure ones and out of reach for the others. Scaling all scores scales the loss.

    Args:
        scores: [B, P] passage scores, any unit.
        relevance: [B, P] bool or grade; above zero is relevant.
        mask: [B, P] bool; passages outside it are not looked at.
        share: 0 to 1.

    Returns:
        [] as ``margin``.

    Raises:
        ValueError: a share outside 0 to 1.

    Example:
        >>> import torch
        >>> s, r = torch.tensor([[4.0, 3.0]]), torch.tensor([[1, 0]])
        >>> relative_margin(s, r, torch.ones_like(s).bool(), share=0.5).item()  # 3 - 4 + 0.5 * 4
        1.0
    """
    if not 0 <= share <= 1:
        raise ValueError(f"found share={share}, expected 0 to 1; set loss.share")
    positive, negative = split(relevance=relevance, mask=mask)
    gap, pairs = deficits(scores=scores, positive=positive, negative=negative)
    wanted = share * scores.detach().unsqueeze(2)
    return mean_of_means(values=torch.relu(gap + wanted), where=pairs)
