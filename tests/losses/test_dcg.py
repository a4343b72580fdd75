"""Ranks and gains of nDCG."""

from __future__ import annotations

import pytest
import torch
from graded_lists import ALL, GRADES, IDEAL

from ltrgr.losses.dcg import normalised_gains, ranks


def test_ranks_count_the_mask_only_and_keep_ties_in_order() -> None:
    scores = torch.tensor([[5.0, float("nan"), 7.0, 5.0, float("-inf")]])
    mask = torch.tensor([[True, False, True, True, True]])
    assert ranks(scores=scores, mask=mask).tolist() == [[2, 5, 1, 3, 4]]


def test_gains_sum_to_the_ndcg() -> None:
    gains = normalised_gains(relevance=GRADES, mask=ALL, dtype=torch.float64)
    assert gains.tolist()[0] == pytest.approx([1 / IDEAL, 0, 0, 3 / IDEAL])
    nothing = normalised_gains(relevance=GRADES, mask=~ALL, dtype=torch.float64)
    assert nothing.tolist() == [[0.0] * 4]
