"""LambdaRank and LambdaLoss: logistic losses of pairs, weighted by what the pair means for nDCG."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import softplus

from ltrgr.losses.dcg import discount, normalised_gains, ranks
from ltrgr.losses.pairs import contrast, expect_above_zero, graded_score_differences, mean_of_means
from ltrgr.losses.ranges import Positive, Weight


def lambdarank(scores: Tensor, relevance: Tensor, mask: Tensor, *, sigma: Positive = 1.0) -> Tensor:
    """Logistic loss of the pairs with y_i > y_j, weighted by |delta nDCG|; mean over questions.

        L = sum over (i, j) of |G_i - G_j| |D(r_i) - D(r_j)| log(1 + exp(sigma (s_j - s_i)))

    G is the gain over maxDCG, D(r) = 1 / log2(1 + r), and r the rank by the current scores, without
    gradient. Burges et al. 2006, "Learning to Rank with Nonsmooth Cost Functions";
    as a loss: Wang et al. 2018, "The LambdaLoss Framework for Ranking Metric Optimization" (CIKM).

    Args:
        scores: [B, P] passage scores.
        relevance: [B, P] bool or grade.
        mask: [B, P] bool; passages outside it are ignored and take no rank.
        sigma: steepness > 0, in 1 / unit of the scores.

    Returns:
        [] mean over the questions with a positive and a negative; 0 if there are none.

    Raises:
        ValueError: sigma is not above zero.

    Example:
        >>> import torch
        >>> s, r = torch.tensor([[1.0, 1.0]]), torch.tensor([[0, 1]])
        >>> round(lambdarank(s, r, torch.ones_like(s).bool()).item(), 4)  # (1 - 1/log2 3) log 2
        0.2558
    """
    expect_above_zero("lambdarank", sigma=sigma)
    return _weighted(scores, relevance, mask, sigma=sigma, weight=_swap(scores, mask))


def lambdaloss(
    scores: Tensor, relevance: Tensor, mask: Tensor, *, sigma: Positive = 1.0, mu: Weight = 10.0
) -> Tensor:
    """NDCG-Loss2++: LambdaRank plus mu times a tight bound on the cost of nDCG.

        L = sum over (i, j) of |G_i - G_j| (rho_ij + mu delta_ij) log(1 + exp(sigma (s_j - s_i)))
        rho_ij = |D(r_i) - D(r_j)|,  delta_ij = D(|r_i - r_j|) - D(|r_i - r_j| + 1)

    Wang et al. 2018, "The LambdaLoss Framework for Ranking Metric Optimization" (CIKM), which has
    log2 instead of log. delta depends only on the distance of two ranks: it is 0.37 for neighbours
    anywhere in the list, while their rho goes to 0 towards the end of the list.

    Args:
        scores, relevance, mask, sigma: as in ``lambdarank``.
        mu: weight of delta, 0 or above; 0 gives ``lambdarank``.

    Returns:
        [] mean over the questions with a positive and a negative; 0 if there are none.

    Raises:
        ValueError: sigma is not above zero, or mu is below zero.

    Example:
        >>> import torch
        >>> s, r = torch.tensor([[1.0, 1.0]]), torch.tensor([[0, 1]])
        >>> loss = lambdaloss(s, r, torch.ones_like(s).bool(), mu=1.0)
        >>> round(loss.item(), 4)  # two ranks one apart: delta = rho
        0.5116
    """
    expect_above_zero("lambdaloss", sigma=sigma)
    if not mu >= 0:
        raise ValueError(f"lambdaloss: found mu={mu}, expected 0 or above; set it with loss.mu=...")
    weight = _swap(scores, mask) + mu * _distance(scores, mask)
    return _weighted(scores, relevance, mask, sigma=sigma, weight=weight)


def _swap(scores: Tensor, mask: Tensor) -> Tensor:
    """rho [B, P, P]: the absolute difference of the discounts of two passages."""
    by_rank = discount(ranks(scores=scores, mask=mask).to(scores.dtype))
    return (by_rank.unsqueeze(2) - by_rank.unsqueeze(1)).abs()


def _distance(scores: Tensor, mask: Tensor) -> Tensor:
    """delta [B, P, P]: by how much one more rank between two passages lowers the discount."""
    place = ranks(scores=scores, mask=mask).to(scores.dtype)
    # A passage forms no pair with itself; 1 keeps that unused weight finite.
    apart = (place.unsqueeze(2) - place.unsqueeze(1)).abs().clamp(min=1.0)
    return discount(apart) - discount(apart + 1.0)


def _weighted(
    scores: Tensor, relevance: Tensor, mask: Tensor, *, sigma: float, weight: Tensor
) -> Tensor:
    gain = normalised_gains(relevance=relevance, mask=mask, dtype=scores.dtype)
    weight = weight * (gain.unsqueeze(2) - gain.unsqueeze(1)).abs()
    gap, pairs = graded_score_differences(scores=scores, relevance=relevance, mask=mask)
    costs = (weight * softplus(sigma * gap)).masked_fill(~pairs, 0.0).sum(dim=(1, 2))
    where = contrast(relevance=relevance, mask=mask)
    return mean_of_means(values=costs.unsqueeze(1), where=where)
