"""The batches of a training as an endless stream that can begin at any step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from torch.utils.data import DataLoader, IterableDataset


class StepStream(IterableDataset[Any]):
    """``make(step)`` for every step from ``first`` on; the trainer's ``max_steps`` ends it."""

    def __init__(self, make: Callable[[int], Any], *, first: int) -> None:
        self.make, self.first = make, first

    def __iter__(self) -> Iterator[Any]:
        return map(self.make, count(self.first))

    def loader(self) -> DataLoader[Any]:
        """A loader that passes each item on as it is."""
        return DataLoader(self, batch_size=None)
