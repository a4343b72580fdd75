"""Jobs side by side."""

import os
import time
from functools import partial

import pytest

from ltrgr.pipeline.parallel import JobsFailed, run_all


def square(x: int) -> int:
    return x * x


def process_and_wait() -> int:
    time.sleep(0.3)
    return os.getpid()


def fail() -> int:
    raise RuntimeError("this one cannot")


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_jobs(workers: int) -> None:
    jobs = {f"{x}": partial(square, x) for x in (3, 1, 2)}
    assert list(run_all(jobs, workers=workers, shown=False).items()) == [
        ("3", 9),
        ("1", 1),
        ("2", 4),
    ]


def test_two_workers_are_two_processes() -> None:
    jobs = {f"{x}": process_and_wait for x in range(4)}
    processes = set(run_all(jobs, workers=2, shown=False).values())
    assert len(processes) == 2
    assert os.getpid() not in processes


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failing_job_is_told_and_ends_no_other(
    workers: int, capsys: pytest.CaptureFixture[str]
) -> None:
    done: list[int] = []
    jobs = {"bad": fail, "good": partial(square, 2)}
    if workers == 1:
        jobs["last"] = lambda: done.append(1) or 1
    with pytest.raises(JobsFailed, match=r"1 of \d jobs failed: bad"):
        run_all(jobs, workers=workers, shown=False)
    assert "this one cannot" in capsys.readouterr().err
    assert done == ([1] if workers == 1 else [])
