"""Work in a process of its own that may be killed, or may crash; a fork starts in milliseconds."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable


def start(work: Callable[[], object]) -> int:
    """The number of a child that does ``work`` and ends with 0, or with 1 and a traceback."""
    child = os.fork()
    if child:
        return child
    signal.alarm(60)  # a child that hangs is no reason to hang too
    try:
        work()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def end_of(child: int) -> int:
    """Its exit code, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def run(work: Callable[[], object]) -> int:
    """Do it, and wait."""
    return end_of(start(work))


def die(*_: object) -> None:
    """End this process at once, as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)
