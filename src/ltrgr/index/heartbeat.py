"""Signs of life from a call that cannot say how far it is."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from time import monotonic
from typing import TypeVar

T = TypeVar("T")

EVERY = 0.5
"""Seconds between two reports; shorter calls make none."""


def run_reporting(
    work: Callable[[], T],
    *,
    expected_seconds: float,
    report: Callable[[float], None],
    every: float = EVERY,
) -> T:
    """Return ``work()``, calling ``report`` with the share of its time that is likely over.

    ``work`` runs in a thread and has to release the interpreter's lock; ``report`` runs in the
    caller's. What ``report`` raises, and Ctrl-C, leave at once: the thread ends when it ends.
    """
    outcome: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True, name="index-sorter")
    begin = monotonic()
    thread.start()
    while True:
        thread.join(every)
        if not thread.is_alive():
            break
        report(likely_share(seconds=monotonic() - begin, expected_seconds=expected_seconds))
    if errors:
        raise errors[0]
    return outcome.pop()


def likely_share(*, seconds: float, expected_seconds: float) -> float:
    """Steady up to 0.8, where it was expected to be nearly done; then ever slower, never above 1.

    A slower machine so sees the bar slow down, never stop or jump back.
    """
    share = seconds / expected_seconds
    return share if share < 0.8 else 1 - 0.2 * math.exp(-(share - 0.8) / 0.2)
