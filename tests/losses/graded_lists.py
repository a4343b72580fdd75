"""Rank lists with grades, and the library rax beside them."""

from __future__ import annotations

from math import exp, log2

import numpy as np
import torch

SCORES = torch.tensor([[2.0, 1.0, 4.0, 3.0]], dtype=torch.float64)
GRADES = torch.tensor([[1, 0, 0, 2]])
ALL = torch.ones(1, 4).bool()
# by score: 4 (grade 0), 3 (grade 2), 2 (grade 1), 1 (grade 0)
IDEAL = 3 / log2(2) + 1 / log2(3)


def lists(*scores: list[float]) -> torch.Tensor:
    """Scores [B, P] in float64."""
    return torch.tensor(scores, dtype=torch.float64)


def whole(scores: torch.Tensor) -> torch.Tensor:
    """The mask of whole lists."""
    return torch.ones_like(scores, dtype=torch.bool)


def sigmoid(x: float) -> float:
    return 1 / (1 + exp(-x))


def drawn_grades(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One question of 12 passages with grades 0 to 3, both kinds under the mask."""
    rng = np.random.default_rng(seed)
    grades = np.where(rng.random(12) < 0.4, rng.integers(1, 4, 12), 0).astype(np.float32)
    mask = rng.random(12) < 0.8
    grades[:2], mask[:2] = (2, 0), True
    return rng.normal(size=12).astype(np.float32) * 3, grades, mask


def drawn_labels(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One question of 12 passages: scores, relevance and mask with both kinds under the mask."""
    rng = np.random.default_rng(seed)
    relevance = (rng.random(12) < 0.3).astype(np.float32)
    relevance[:2] = 1, 0
    mask = rng.random(12) < 0.8
    mask[:2] = True
    return rng.normal(size=12).astype(np.float32) * 3, relevance, mask


def ours(loss, draw, **settings: float) -> float:
    """The loss of one drawn question."""
    return loss(*(torch.from_numpy(x).unsqueeze(0) for x in draw), **settings).item()
