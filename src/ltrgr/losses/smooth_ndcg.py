"""Smooth versions of nDCG: ApproxNDCG has smooth ranks, NeuralNDCG a smooth sort."""

from __future__ import annotations

import torch
from torch import Tensor

from ltrgr.losses.dcg import discount, normalised_gains
from ltrgr.losses.pairs import all_pairs, contrast, expect_above_zero, mean_of_means
from ltrgr.losses.ranges import Number, Positive

NOTHING = -1e30
"""log of zero mass; finite, so that its gradient is 0 and not NaN."""


def approx_ndcg(
    scores: Tensor, relevance: Tensor, mask: Tensor, *, temperature: Positive = 1.0
) -> Tensor:
    """One minus nDCG at smooth ranks, mean over questions.

        L = 1 - sum over i of G_i / log2(1 + r_i)
        r_i = 1 + sum over j != i of sigmoid((s_j - s_i) / t)

    G is the gain (2^y - 1) over maxDCG. Qin, Liu & Li 2010, "A General Approximation Framework for
    Direct Optimization of Information Retrieval Measures". With a small t the loss is close to
    1 - nDCG, but its gradient is near 0 where scores are far apart. With a large t the gradient is
    nowhere 0, but the smooth ranks are far from the true ones.

    Args:
        scores: [B, P] passage scores.
        relevance: [B, P] bool or grade.
        mask: [B, P] bool; passages outside it are ignored.
        temperature: t > 0, in the unit of the scores.

    Returns:
        [] in 0..1, mean over the questions with a positive and a negative; 0 if there are none.

    Raises:
        ValueError: the temperature is not above zero.

    Example:
        >>> import torch
        >>> s, r = torch.zeros(1, 3), torch.tensor([[1, 0, 0]])
        >>> loss = approx_ndcg(s, r, torch.ones_like(s).bool())
        >>> round(loss.item(), 4)  # rank 1 + 1/2 + 1/2, so 1 - 1 / log2 3
        0.3691
    """
    expect_above_zero("approx_ndcg", temperature=temperature)
    known = scores.masked_fill(~mask, 0.0)
    above = torch.sigmoid((known.unsqueeze(1) - known.unsqueeze(2)) / temperature)
    rank = 1.0 + above.masked_fill(~all_pairs(mask=mask), 0.0).sum(dim=2)
    gain = normalised_gains(relevance=relevance, mask=mask, dtype=scores.dtype)
    ndcg = (gain * discount(rank)).sum(dim=1, keepdim=True)
    return mean_of_means(values=1.0 - ndcg, where=contrast(relevance=relevance, mask=mask))


def neural_ndcg(
    scores: Tensor,
    relevance: Tensor,
    mask: Tensor,
    *,
    temperature: Positive = 1.0,
    iterations: Number = 30,
) -> Tensor:
    """One minus nDCG of the softly sorted gains, mean over questions.

        L = 1 - sum over places i of (P G)_i / log2(1 + i),  P = sinkhorn(S)
        S[i, j] = softmax over j of ((n + 1 - 2i) s_j - sum over k of |s_j - s_k|) / t

    Pobrotyn & Białobrzeski 2021, "NeuralNDCG: Direct Optimisation of a Ranking Metric via
    Differentiable Relaxation of Sorting", arXiv 2102.07831; S is NeuralSort (Grover et al. 2019,
    arXiv 1903.08850); G is the gain (2^y - 1) over maxDCG. Of two passages with neighbouring
    scores, the higher gets the share sigmoid(difference / t) of the first of their two places, for
    any n. For t -> 0, L is 1 - nDCG.

    Args:
        scores: [B, P] passage scores.
        relevance: [B, P] bool or grade.
        mask: [B, P] bool; passages outside it are ignored.
        temperature: t > 0, in the unit of the scores.
        iterations: Sinkhorn steps, 1 or more; each makes the rows, then the columns, sum to 1.

    Returns:
        [] mean over the questions with a positive and a negative; 0 if there are none.

    Raises:
        ValueError: the temperature or the iterations are not above zero.

    Example:
        >>> import torch
        >>> s, r = torch.zeros(1, 2), torch.tensor([[1, 0]])
        >>> loss = neural_ndcg(s, r, torch.ones_like(s).bool())
        >>> round(loss.item(), 4)  # half in each place: 1 - (1 + 1 / log2 3) / 2
        0.1845
    """
    expect_above_zero("neural_ndcg", temperature=temperature, iterations=iterations)
    log_sorted = _neural_sort(scores, mask, temperature=temperature)
    for _ in range(iterations):
        log_sorted = torch.log_softmax(torch.log_softmax(log_sorted, dim=2), dim=1)
    gain = normalised_gains(relevance=relevance, mask=mask, dtype=scores.dtype)
    place = torch.arange(1, scores.shape[1] + 1, device=scores.device, dtype=scores.dtype)
    gained = (log_sorted.exp() @ gain.unsqueeze(2)).squeeze(2)
    ndcg = (gained * discount(place)).sum(dim=1, keepdim=True)
    return mean_of_means(values=1.0 - ndcg, where=contrast(relevance=relevance, mask=mask))


def _neural_sort(scores: Tensor, mask: Tensor, *, temperature: float) -> Tensor:
    """log S [B, P, P], up to a constant per row, indexed [question, place, passage].

    The n real passages share the first n places, padding shares the others evenly. No place is
    shared by both, so Sinkhorn's sums do not mix them.
    """
    known = scores.masked_fill(~mask, 0.0)
    n = mask.sum(dim=1, keepdim=True)
    place = torch.arange(1, scores.shape[1] + 1, device=scores.device)
    real = (place <= n).unsqueeze(2)
    distance = (known.unsqueeze(2) - known.unsqueeze(1)).abs()
    spread = distance.masked_fill(~mask.unsqueeze(1), 0.0).sum(dim=2)
    pull = (n + 1 - 2 * place).to(scores.dtype)
    logits = (pull.unsqueeze(2) * known.unsqueeze(1) - spread.unsqueeze(1)) / temperature
    own = real & mask.unsqueeze(1)
    other = ~real & ~mask.unsqueeze(1)
    return logits.masked_fill(~own, NOTHING).masked_fill(other, 0.0)
