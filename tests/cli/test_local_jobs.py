"""A sweep's jobs in processes of their own: one that is killed, and a parent that is killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ltrgr.cli.main import config_directory
from ltrgr.cli.outcome import outcomes

VERBS = """
import os, signal, time
from pathlib import Path
from ltrgr.cli.outcome import Result

def rank(cfg):
    folder = Path("OUT") / "begun"
    folder.mkdir(exist_ok=True)
    (folder / f"{cfg.seed} {os.getpid()}").touch()
    if cfg.seed == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    if cfg.seed == 9:
        time.sleep(600)
    return Result(metrics={"dev mrr@10": cfg.seed / 10}, optimized_metric=cfg.seed / 10)
"""


@pytest.fixture
def small(conf: Path) -> Path:
    launcher = conf / "hydra" / "launcher" / "local.yaml"
    launcher.parent.mkdir(parents=True)
    launcher.write_text((config_directory() / "hydra" / "launcher" / "local.yaml").read_text())
    (conf.parent / "verbs.py").write_text(VERBS.replace("OUT", str(conf.parent)))
    return conf


def begin(conf: Path, *arguments: str) -> subprocess.Popen[str]:
    code = (
        "import sys; from pathlib import Path; from ltrgr.cli.main import main\n"
        "if __name__ == '__main__':\n"
        f"    sys.exit(main({list(arguments)!r}, conf=Path({str(conf)!r}), commands='verbs'))"
    )
    path = os.pathsep.join([str(conf.parent), *sys.path])
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": path},
    )  # fmt: skip


def test_a_killed_job_does_not_end_the_others(small: Path, tmp_path: Path) -> None:
    sweep = begin(small, "rank", "-m", "seed=0,1,2,5", "hydra/launcher=local")
    printed, told = sweep.communicate(timeout=240)
    assert sweep.returncode == 1
    assert "job 1 of the sweep was ended by SIGKILL (seed=1)" in told
    assert "1 of the 4 jobs that began did not end well" in told
    assert "Traceback" not in told
    found = outcomes(tmp_path / "sweep")
    assert [(one.job, one.state) for one in found] == [
        (0, "done"), (1, "not finished"), (2, "done"), (3, "done"),
    ]  # fmt: skip
    assert [one.metrics.get("dev mrr@10") for one in found] == [0.0, None, 0.2, 0.5]
    assert len(re.findall(r"^ +\d +seed=", printed, re.MULTILINE)) == 4


@pytest.mark.skipif(sys.platform != "linux", reason="Linux ends the children of a killed process")
def test_a_killed_sweep_ends_its_jobs(small: Path, tmp_path: Path) -> None:
    sweep = begin(small, "rank", "-m", "seed=9", "hydra/launcher=local")
    limit = time.monotonic() + 120
    while not (names := list(tmp_path.glob("begun/9 *"))):
        assert sweep.poll() is None and time.monotonic() < limit
        time.sleep(0.05)
    job = int(names[0].name.split()[1])
    os.kill(sweep.pid, signal.SIGKILL)
    sweep.communicate(timeout=60)
    while _is_running(job):
        assert time.monotonic() < limit
        time.sleep(0.05)


def test_a_wrong_number_of_jobs_is_one_line(small: Path) -> None:
    flags = ["hydra/launcher=local", "hydra.launcher.n_jobs=0"]
    sweep = begin(small, "rank", "-m", "seed=0", *flags)
    _, told = sweep.communicate(timeout=120)
    assert sweep.returncode == 2
    assert "hydra.launcher.n_jobs=0: expected a whole number, 1 or more, or -1" in told
    assert "Traceback" not in told


def _is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
