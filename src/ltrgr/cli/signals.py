"""Signals that ask a command to stop: it ends as after Ctrl-C, and says so."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPPING = [
    getattr(signal, name)
    for name in ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGXCPU")
    if hasattr(signal, name)
]
"""what a scheduler, a closed terminal, SLURM's ``--signal`` and a CPU limit send"""


class Received:
    """The signal that stopped this process, if one did."""

    number: int | None = None


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Turn each stopping signal into ``KeyboardInterrupt`` inside the block.

    A signal that the caller ignores (``nohup``) or handles keeps its handling. Only the main thread
    can handle signals; in another one the block runs as it is.
    """
    Received.number = None
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    taken = [number for number in STOPPING if signal.getsignal(number) is signal.SIG_DFL]
    for number in taken:
        signal.signal(number, _stop)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


def stop_line() -> tuple[str, int]:
    """What to tell after a stop, and the exit code: 130 for Ctrl-C, else 128 + the signal."""
    number = signal.SIGINT if Received.number is None else Received.number
    by = "" if Received.number is None else f" by {signal.Signals(number).name}"
    return f"stopped{by}; run the same command to go on from the last checkpoint", 128 + number


def _stop(number: int, frame: FrameType | None) -> None:
    Received.number = number
    raise KeyboardInterrupt(signal.Signals(number).name)
