"""One measured row, and how it is measured: fresh input, flushed caches, medians of repeats."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import wraps
from time import perf_counter
from typing import Any, TypeVar
from unittest.mock import patch

import numpy as np
import torch

Query = TypeVar("Query")

_LARGE = np.zeros(96 << 20, np.uint8)  # more than the last-level cache of common machines


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the report; ``name`` is its identity in comparisons of two commits."""

    name: str
    """group/what"""
    unit: str
    values: list[float]
    """one for each repeat"""
    references: Mapping[str, float] = field(default_factory=dict)
    """name of another way to do it -> its measured value, same unit, same run"""
    note: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.values)


def flush_caches() -> None:
    """Touch a large array, so that nothing of the last repeat is left in the caches."""
    np.add(_LARGE, 1, out=_LARGE)


def seconds(
    prepare: Callable[[], Query],
    timed: Callable[[Query], Any],
    *,
    repeats: int,
    warm_up: bool = True,
) -> list[float]:
    """Seconds of ``timed(prepare())`` for each repeat; only ``timed`` is measured."""
    if warm_up:  # compiles kernels, loads libraries
        timed(prepare())
    measured = []
    for _ in range(repeats):
        query = prepare()
        flush_caches()
        begin = perf_counter()
        timed(query)
        measured.append(perf_counter() - begin)
    return measured


def scaled(values: list[float], factor: float) -> list[float]:
    """Each value times ``factor``: seconds per call to another unit per item."""
    return [value * factor for value in values]


class Parts(dict[str, float]):
    """Seconds spent in each named part, by replacing module attributes while measuring.

    Args:
        device: a GPU computes beside the program; a part waits for it before and after.
    """

    def __init__(self, device: torch.device | None = None) -> None:
        super().__init__()
        self._device = device if device is not None and device.type == "cuda" else None

    def _wait(self) -> None:
        if self._device is not None:
            torch.cuda.synchronize(self._device)

    @contextmanager
    def watching(self, *places: tuple[Any, str, str]) -> Iterator[None]:
        """Inside, calls of ``attribute`` of ``module`` add up under ``part``.

        Args:
            places: (module, attribute, part).
        """
        with ExitStack() as stack:
            for module, attribute, part in places:
                timed = self.timed(part, getattr(module, attribute))
                stack.enter_context(patch.object(module, attribute, timed))
            yield

    def timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """``function``, whose time is added to ``part``."""

        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            self._wait()
            begin = perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self._wait()
                self[part] = self.get(part, 0.0) + perf_counter() - begin

        return call
