"""The parts of nDCG that rank losses use: ranks, gains, discounts, the ideal."""

from __future__ import annotations

import torch
from torch import Tensor


def ranks(*, scores: Tensor, mask: Tensor) -> Tensor:
    """Ranks from 1 among the passages of the mask, by falling score; ties go by position.

    Args:
        scores, mask: [B, P]

    Returns:
        int64 [B, P] without gradient; P outside the mask.
    """
    known = scores.detach().masked_fill(~mask, -torch.inf)
    order = torch.sort(known, dim=1, descending=True, stable=True).indices
    real = mask.gather(1, order)
    places = torch.where(real, real.cumsum(dim=1), scores.shape[1])
    return torch.empty_like(order).scatter(1, order, places)


def discount(rank: Tensor) -> Tensor:
    """1 / log2(1 + rank), for whole or smooth ranks from 1."""
    return 1.0 / torch.log2(1.0 + rank)


def normalised_gains(*, relevance: Tensor, mask: Tensor, dtype: torch.dtype) -> Tensor:
    """G_p = (2^{y_p} - 1) / maxDCG, so that sum over p of G_p * discount(rank of p) is nDCG.

    maxDCG is the DCG of the best order of the passages in the mask (Järvelin & Kekäläinen 2002),
    with the exponential gain of Burges et al. 2005.

    Args:
        relevance, mask: [B, P]

    Returns:
        [B, P], 0 outside the mask and in lists without a relevant passage.
    """
    gains = (torch.exp2(relevance.to(dtype)) - 1.0).masked_fill(~mask, 0.0)
    places = torch.arange(1, gains.shape[1] + 1, device=gains.device, dtype=dtype)
    ideal = (gains.sort(dim=1, descending=True).values * discount(places)).sum(1, keepdim=True)
    return gains / torch.where(ideal > 0, ideal, 1.0)
