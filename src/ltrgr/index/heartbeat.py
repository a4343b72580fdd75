"""Estimated progress of a call that reports none."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from time import monotonic
from typing import TypeVar

T = TypeVar("T")

EVERY = 0.5
"""Seconds between two reports; a shorter call makes none."""


def run_reporting(
    work: Callable[[], T],
    *,
    expected_seconds: float,
    report: Callable[[float], None],
    every: float = EVERY,
) -> T:
    """Return ``work()``; meanwhile call ``report`` with the fraction that is likely done.

    ``work`` runs in a thread of its own and has to release the interpreter's lock; ``report`` runs
    in the caller's thread. An exception of ``report``, and Ctrl-C, end this call at once; ``work``
    then runs to its end in the background.
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
    """Estimated fraction done: linear up to 0.8, then ever slower, always below 1.

    On a machine slower than expected the bar slows down; it never stops or jumps back.
    """
    share = seconds / expected_seconds
    return share if share < 0.8 else 1 - 0.2 * math.exp(-(share - 0.8) / 0.2)
