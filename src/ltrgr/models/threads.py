"""How many threads of torch a model computes with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from ltrgr.errors import RetrieverError

SMALL = 10_000_000
"""Parameters below which a model on a CPU gets one thread. On two busy cores a second thread made
1.2 M parameters four times slower and 7.6 M twice; where cores are idle, larger models gain."""


def threads_for(model: Any) -> int | None:
    """1 for a model on a CPU with below ``SMALL`` parameters; None, torch's own, for others."""
    if next(model.parameters()).device.type != "cpu":
        return None
    return 1 if sum(weights.numel() for weights in model.parameters()) < SMALL else None


def expect_threads(threads: int | None) -> int | None:
    """``threads``, if it is a whole number of 1 or more, or None.

    Raises:
        RetrieverError: it is neither.
    """
    if threads is not None and (type(threads) is not int or threads < 1):
        raise RetrieverError(f"threads={threads!r}: expected 1 or more, or None for the default")
    return threads


@contextmanager
def torch_threads(number: int | None) -> Iterator[None]:
    """Compute with ``number`` threads of torch (None: as many as now), then with as many as before.

    Whatever the block itself sets is undone, too, also where it raises. A generator must not yield
    inside the block: its caller would compute with these threads.
    """
    before = torch.get_num_threads()
    try:
        _set(before if number is None else number)
        yield
    finally:
        _set(before)


def _set(number: int) -> None:
    if number != torch.get_num_threads():
        torch.set_num_threads(number)
