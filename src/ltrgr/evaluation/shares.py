"""Shares of right answers during training, under several names: sums, safe under distribution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torchmetrics import Metric


class Shares(Metric):
    """name -> right / asked, over all batches so far.

    Example:
        >>> shares = Shares(["title", "body"])
        >>> shares.update({"title": (torch.tensor([True, False]), torch.tensor([True, True]))})
        >>> shares.compute()["title"].item()
        0.5
    """

    full_state_update = False
    higher_is_better = True
    is_differentiable = False

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.names = tuple(names)
        self.add_state("right", torch.zeros(len(names)).double(), dist_reduce_fx="sum")
        self.add_state("asked", torch.zeros(len(names)).double(), dist_reduce_fx="sum")

    def update(self, counted: Mapping[str, tuple[Tensor, Tensor]]) -> None:
        """Add a batch: name -> (right, asked), bool of one shape; only what is asked counts.

        Raises:
            ValueError: a name that was not announced.
        """
        if unknown := counted.keys() - set(self.names):
            raise ValueError(f"found {sorted(unknown)}, expected some of {list(self.names)}")
        for name, (right, asked) in counted.items():
            place = self.names.index(name)
            self.right[place] += (right & asked).sum()
            self.asked[place] += asked.sum()

    def compute(self) -> dict[str, Tensor]:
        """name -> [] share; nan where nothing was asked."""
        return dict(zip(self.names, (self.right / self.asked).float().unbind(), strict=True))
