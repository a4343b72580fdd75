"""Jobs side by side."""

import logging
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from ltrgr.pipeline.parallel import JobsFailedError, run_all


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
    with pytest.raises(JobsFailedError, match=r"1 of \d jobs failed: bad"):
        run_all(jobs, workers=workers, shown=False)
    assert "this one cannot" in capsys.readouterr().err
    assert done == ([1] if workers == 1 else [])


def kill_myself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_worker_ends_no_other_job(capsys: pytest.CaptureFixture[str]) -> None:
    """Two killed ones: both processes are replaced, and the last jobs still run."""
    jobs = {f"killed {x}": kill_myself for x in range(2)}
    jobs |= {f"{x}": partial(square, x) for x in range(4)}
    with pytest.raises(JobsFailedError, match=r"2 of 6 jobs failed: killed 0, killed 1 \("):
        run_all(jobs, workers=2, shown=False)
    assert capsys.readouterr().err.count("its process was killed; the usual reason is") >= 2


ORPHAN = """
import os, sys, time
from functools import partial
sys.path.insert(0, {here!r})
from test_parallel import note_and_sleep
from ltrgr.pipeline.parallel import run_all

if __name__ == "__main__":
    jobs = {{str(i): partial(note_and_sleep, {folder!r}) for i in range(2)}}
    run_all(jobs, workers=2, shown=False)
"""


def note_and_sleep(folder: str) -> None:
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(60)


def test_workers_end_with_a_killed_parent(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    script = tmp_path / "orphan.py"
    script.write_text(ORPHAN.format(here=str(Path(__file__).parent), folder=str(notes)))
    parent = subprocess.Popen([sys.executable, str(script)])
    deadline = time.monotonic() + 60
    while len(list(notes.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    workers = [int(note.name) for note in notes.iterdir()]
    assert len(workers) == 2
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    while any(map(alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(alive, workers))


def alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def shout() -> None:
    logging.getLogger("of.this.test").warning("job of %s", "\x1b[31m")
    raise RuntimeError("\x1b[31mred")


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_job_says_is_not_obeyed_by_the_terminal(
    workers: int, capfd: pytest.CaptureFixture[str]
) -> None:
    jobs = {"a\x1b[31m": shout, "b": shout}
    with pytest.raises(JobsFailedError):
        run_all(jobs, workers=workers, shown=False)
    told = capfd.readouterr().err
    assert "job 'a\\x1b[31m' failed:" in told
    assert "RuntimeError: \\x1b[31mred" in told
    if workers == 2:  # a process of its own, where nobody has set up logging
        assert "job of \\x1b[31m" in told
        assert "\x1b" not in told
