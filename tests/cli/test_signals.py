"""A signal that asks to stop ends a command in one line, as Ctrl-C does."""

from __future__ import annotations

import os
import signal

import pytest

from ltrgr.cli.signals import STOPPING, stop_line, stopped_by_signals


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGXCPU"])
def test_a_signal_becomes_an_interrupt_that_is_named(name: str) -> None:
    number = getattr(signal, name)
    with pytest.raises(KeyboardInterrupt, match=name), stopped_by_signals():
        os.kill(os.getpid(), number)
    line, code = stop_line()
    assert line == f"stopped by {name}; run the same command to go on from the last checkpoint"
    assert code == 128 + number
    assert signal.getsignal(number) is signal.SIG_DFL


def test_without_a_signal_it_was_ctrl_c() -> None:
    with stopped_by_signals():
        pass
    assert stop_line()[1] == 130


def test_a_signal_that_the_caller_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with stopped_by_signals():
            os.kill(os.getpid(), signal.SIGHUP)
            assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, before)
    assert signal.SIGHUP in STOPPING
