from __future__ import annotations

import math
import threading
import time

import pytest

from ltrgr.index.heartbeat import likely_share, run_reporting


def test_likely_share() -> None:
    assert likely_share(seconds=1, expected_seconds=4) == 0.25
    assert likely_share(seconds=4, expected_seconds=4) == pytest.approx(1 - 0.2 / math.e)
    assert 0.99 < likely_share(seconds=8, expected_seconds=4) < 1
    # no jump where the steady part ends
    before, after = (likely_share(seconds=s, expected_seconds=1) for s in (0.7999, 0.8001))
    assert after - before == pytest.approx(0.0002, rel=0.01)


def test_a_long_call_reports_and_a_short_one_does_not() -> None:
    shares: list[float] = []
    slow = run_reporting(
        lambda: time.sleep(0.3) or 7, expected_seconds=1, report=shares.append, every=0.05
    )
    assert slow == 7
    assert len(shares) >= 2
    assert shares == sorted(shares)
    assert run_reporting(lambda: 8, expected_seconds=1, report=shares.clear) == 8
    assert shares


def test_errors_of_both_sides_come_out() -> None:
    with pytest.raises(ZeroDivisionError):
        run_reporting(lambda: 1 // 0, expected_seconds=1, report=print)

    def stop(_: float) -> None:
        raise KeyboardInterrupt

    release = threading.Event()
    with pytest.raises(KeyboardInterrupt):  # before the work ends: it waits for what follows
        run_reporting(release.wait, expected_seconds=1, report=stop, every=0.01)
    release.set()
