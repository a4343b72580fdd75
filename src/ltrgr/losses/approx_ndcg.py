"""ApproxNDCG: nDCG with smooth ranks."""

from __future__ import annotations

import torch
from torch import Tensor

from ltrgr.losses.dcg import discount, normalised_gains
from ltrgr.losses.pairs import all_pairs, contrast, expect_above_zero, mean_of_means


def approx_ndcg(
    scores: Tensor, relevance: Tensor, mask: Tensor, *, temperature: float = 1.0
) -> Tensor:
    """One minus nDCG at smooth ranks, mean over questions.

        L = 1 - sum over i of G_i / log2(1 + r_i)
        r_i = 1 + sum over j != i of sigmoid((s_j - s_i) / t)

    G is the gain (2^y - 1) over maxDCG. Qin, Liu & Li 2010, "A General Approximation Framework for
    Direct Optimization of Information Retrieval Measures". With a small t the loss is close to
    1 - nDCG, but flat where scores are far apart. With a large t it has a slope everywhere, but
    the ranks are blurred.

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
