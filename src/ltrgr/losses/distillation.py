"""Losses against a teacher's scores: MarginMSE and distilled RankNet.

The teacher's scores are one more tensor [B, P], which ``Against`` names. There are two teachers
(``retrieval.teachers``): ``bm25``, and ``mined_score``, the scores of stage 1's search. As the
student starts with the latter, they teach nothing new; that teacher is a control.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import softplus

from ltrgr.losses.pairs import (
    all_pairs,
    contrast,
    expect_above_zero,
    graded_score_differences,
    mean_of_means,
    score_differences,
    split,
)
from ltrgr.losses.ranges import Positive


def margin_mse(scores: Tensor, relevance: Tensor, mask: Tensor, *, teacher: Tensor) -> Tensor:
    """Squared difference of the two models' margins, mean over pairs, then over questions.

        L = mean over (p, n) of ( (s(q,p) - s(q,n)) - (t(q,p) - t(q,n)) )^2

    Hofstätter et al. 2020, "Improving Efficient Neural Ranking Models with Cross-Architecture
    Knowledge Distillation", arXiv 2010.02666. Relevance chooses the pairs; the teacher sets
    how far apart their scores should be. Only differences of its scores count, not their level.

    Args:
        scores: [B, P] passage scores.
        relevance: [B, P] bool or grade; above zero is relevant.
        mask: [B, P] bool; passages outside it are ignored.
        teacher: [B, P] the teacher's scores, in the unit of the scores.

    Returns:
        [] mean over the questions with a positive and a negative; 0 if there are none. In squared
        units of the scores.

    Example:
        >>> import torch
        >>> s, r, t = torch.zeros(1, 2), torch.tensor([[1, 0]]), torch.tensor([[5.0, 2.0]])
        >>> margin_mse(s, r, torch.ones_like(s).bool(), teacher=t).item()
        9.0
    """
    positive, negative = split(relevance=relevance, mask=mask)
    gap, pairs = score_differences(
        scores=scores - teacher.detach(), positive=positive, negative=negative
    )
    return mean_of_means(values=gap.square(), where=pairs)


def distilled_ranknet(
    scores: Tensor,
    relevance: Tensor,
    mask: Tensor,
    *,
    teacher: Tensor,
    sigma: Positive = 1.0,
    teacher_sigma: Positive = 1.0,
) -> Tensor:
    """RankNet with the teacher's targets, mean over all pairs, then over questions.

        L = mean over (i, j) of -P_ij log Q_ij - (1 - P_ij) log(1 - Q_ij)
        P_ij = sigmoid(teacher_sigma (t_i - t_j)),  Q_ij = sigmoid(sigma (s_i - s_j))

    Burges et al. 2005, "Learning to Rank using Gradient Descent"; the target probability is the
    teacher's. A large teacher_sigma keeps only the teacher's order, as in RankGPT's distillation
    (Sun et al. 2023, arXiv 2304.09542). All pairs of passages count; relevance only decides which
    questions do. The minimum of the loss is the entropy of P, not 0.

    Args:
        scores: [B, P] passage scores.
        relevance: [B, P] bool or grade; above zero is relevant.
        mask: [B, P] bool; passages outside it are ignored.
        teacher: [B, P] the teacher's scores.
        sigma: steepness > 0, in 1 / unit of the scores.
        teacher_sigma: steepness > 0, in 1 / unit of the teacher's scores.

    Returns:
        [] mean over the questions with a positive and a negative; 0 if there are none.

    Raises:
        ValueError: a steepness is not above zero.

    Example:
        >>> import torch
        >>> s, r, t = torch.zeros(1, 2), torch.tensor([[1, 0]]), torch.tensor([[5.0, 2.0]])
        >>> loss = distilled_ranknet(s, r, torch.ones_like(s).bool(), teacher=t)
        >>> round(loss.item(), 4)  # log 2, whatever the target
        0.6931
    """
    expect_above_zero("distilled_ranknet", sigma=sigma, teacher_sigma=teacher_sigma)
    gap, _ = graded_score_differences(scores=scores, relevance=relevance, mask=mask)
    target, _ = graded_score_differences(scores=teacher.detach(), relevance=relevance, mask=mask)
    # With d = sigma * (s_j - s_i): -log Q = softplus(d), -log(1 - Q) = softplus(d) - d.
    # ``reverse`` is 1 - P.
    reverse = (teacher_sigma * target).sigmoid()
    costs = softplus(sigma * gap) - reverse * sigma * gap
    return mean_of_means(
        values=costs, where=all_pairs(mask=mask & contrast(relevance=relevance, mask=mask))
    )
