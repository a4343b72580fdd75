"""A sweep tells each job's end, goes on after a failure, and finds what it has done before."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from joblib.externals.loky import get_reusable_executor

from ltrgr.cli.main import main
from ltrgr.cli.outcome import outcomes
from ltrgr.pipeline import pipeline as pipeline_module

Run = Callable[..., int]
Capture = pytest.CaptureFixture[str]

SMALL = [
    "corpus.passages=300",
    "corpus.train_questions=100",
    "corpus.dev_questions=20",
    "corpus.test_questions=20",
    "pretrain.steps=5",
    "mine.questions=20",
    "mine.passages=10",
    "rank.steps=2",
    "rank.batch_size=2",
    "rank.val_check_interval=1",
    "rank.dev_questions=4",
    "evaluation.questions=4",
    "compute.threads=1",
    "compute.progress=false",
    "wandb.mode=disabled",
]


@pytest.fixture(autouse=True)
def own_processes() -> Iterator[None]:
    """joblib keeps its processes for the next sweep, with the import path of the last test."""
    yield
    get_reusable_executor().shutdown(wait=True)


def states(sweep: Path) -> list[tuple[int, str, str]]:
    return [(o.job, " ".join(o.overrides), o.state) for o in outcomes(sweep)]


@pytest.mark.parametrize("launcher", ["basic", "joblib"])
def test_the_summary_tells_every_jobs_state_and_only_what_varies(
    ltrgr: Run, tmp_path: Path, capsys: Capture, launcher: str
) -> None:
    flags = [f"hydra/launcher={launcher}"]
    flags += ["hydra.launcher.n_jobs=2"] if launcher == "joblib" else []
    assert ltrgr("rank", "-m", "seed=0,2,5", "loss.margin=7", *flags) == 1
    assert states(tmp_path / "sweep") == [
        (0, "seed=0", "done"),
        (1, "seed=2", "failed"),
        (2, "seed=5", "done"),
    ]
    told = capsys.readouterr()
    rows = [
        line.split() for line in told.out.splitlines() if "seed=" in line and "HYDRA" not in line
    ]
    assert [(row[0], row[1], row[-1]) for row in rows] == [
        ("0", "seed=0", "done"),
        ("1", "seed=2", "failed"),
        ("2", "seed=5", "done"),
    ]
    assert f"sweep: {tmp_path / 'sweep'}" in told.out
    assert "1 of the 3 jobs that began did not end well" in told.err
    if launcher == "basic":  # joblib's processes write to the real standard error
        assert (
            "job 1 of the sweep failed (seed=2):\nltrgr rank: ArtefactError: no index" in told.err
        )
        assert "Traceback" not in told.err
        assert "Error executing job" not in told.err


def test_a_failure_in_one_batch_does_not_keep_the_next_from_beginning(
    ltrgr: Run, tmp_path: Path
) -> None:
    assert ltrgr("rank", "-m", "seed=1,5,6", "hydra.sweeper.max_batch_size=1") == 1
    assert [state for _, _, state in states(tmp_path / "sweep")] == ["failed", "done", "done"]


def test_ctrl_c_shows_what_was_done_until_then(ltrgr: Run, tmp_path: Path, capsys: Capture) -> None:
    assert ltrgr("rank", "-m", "seed=0,3,5") == 130
    assert [state for _, _, state in states(tmp_path / "sweep")] == ["done", "not finished"]
    assert "not finished" in capsys.readouterr().out


def test_a_folder_used_again_tells_of_the_last_sweep_only(ltrgr: Run, tmp_path: Path) -> None:
    assert ltrgr("rank", "-m", "seed=5,6,7") == 0
    assert ltrgr("rank", "-m", "seed=8,9") == 0
    assert [overrides for _, overrides, _ in states(tmp_path / "sweep")] == ["seed=8", "seed=9"]


@pytest.mark.slow
def test_killed_and_started_again_a_sweep_runs_only_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    trained: list[Any] = []
    train = pipeline_module.rank

    def dies_in_the_third(directory: Path, **settings: Any) -> None:
        if len(trained) == 2:
            raise KeyboardInterrupt
        trained.append(directory)
        train(directory, **settings)

    grid = ["loss.margin=1,2", "rank.seed=0,1", f"root={tmp_path / 'runs'}", *SMALL]
    monkeypatch.setattr(pipeline_module, "rank", dies_in_the_third)
    first = tmp_path / "first"
    assert main(["rank", "-m", *grid, f"hydra.sweep.dir={first}"]) == 130
    assert [state for _, _, state in states(first)] == ["done", "done", "not finished"]

    monkeypatch.setattr(pipeline_module, "rank", lambda d, **s: (trained.append(d), train(d, **s)))
    capsys.readouterr()
    second = tmp_path / "second"
    assert main(["rank", "-m", *grid, f"hydra.sweep.dir={second}"]) == 0
    assert states(second) == [
        (0, "loss.margin=1 rank.seed=0", "found"),
        (1, "loss.margin=1 rank.seed=1", "found"),
        (2, "loss.margin=2 rank.seed=0", "done"),
        (3, "loss.margin=2 rank.seed=1", "done"),
    ]
    assert len(trained) == len(set(trained)) == 4
    assert len(list((tmp_path / "runs" / "mine").glob("*/DONE.json"))) == 1
    assert outcomes(first)[0].metrics == outcomes(second)[0].metrics
    evaluated = {path.parent.name for path in (tmp_path / "runs").glob("evaluate/*/DONE.json")}
    assert {outcome.measured for outcome in outcomes(second)} < evaluated  # and those of dev

    metrics = outcomes(second)[3].metrics
    assert list(metrics) == ["dev hits@5", "dev mrr@10", "test hits@5", "test mrr@10"]
    curve = next(trained[3].with_suffix("").glob("curves/*/metrics.csv")).read_text()
    dev = [row["dev/mrr@10"] for row in csv.DictReader(curve.splitlines())]
    assert metrics["dev mrr@10"] == pytest.approx(max(float(value) for value in dev if value))
    stored = [
        json.loads(p.read_text()) for p in (tmp_path / "runs").glob("evaluate/*/metrics.json")
    ]
    assert metrics["test mrr@10"] in [one["mrr@10"] for one in stored]
    assert "dev" in capsys.readouterr().out


def test_lists_and_paths_keep_their_brackets(ltrgr: Run, tmp_path: Path, capsys: Capture) -> None:
    swept, folder = "corpus.path='[a]','[/b]'", tmp_path / "s[x]"
    assert ltrgr("rank", "-m", swept, "corpus.limit=[1],[2]", f"hydra.sweep.dir='{folder}'") == 0
    told = capsys.readouterr().out
    rows = [line.split() for line in told.splitlines() if line.strip().endswith(" done")]
    assert [" ".join(row[1:-2]) for row in rows] == [
        "corpus.path='[a]' corpus.limit=[1]",
        "corpus.path='[a]' corpus.limit=[2]",
        "corpus.path='[/b]' corpus.limit=[1]",
        "corpus.path='[/b]' corpus.limit=[2]",
    ]
    assert f"sweep: {folder}" in told


TOGETHER = """
import time
from pathlib import Path
from ltrgr.errors import LtrgrError

def rank(cfg):
    "Go on only when the other sweep has begun, too."
    folder = Path("OUT") / "begun"
    folder.mkdir(exist_ok=True)
    (folder / str(cfg.seed)).touch()
    limit = time.monotonic() + 120
    while len(list(folder.iterdir())) < 2:
        assert time.monotonic() < limit
        time.sleep(0.05)
    if cfg.seed == 2:
        raise LtrgrError("this one cannot")
"""


def begin(conf: Path, *arguments: str) -> subprocess.Popen[str]:
    code = (
        "import sys; from pathlib import Path; from ltrgr.cli.main import main;"
        f"sys.exit(main({list(arguments)!r}, conf=Path({str(conf)!r}), commands='together'))"
    )
    path = os.pathsep.join([str(conf.parent), *sys.path])
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
    )


@pytest.fixture
def together(conf: Path) -> Path:
    (conf.parent / "together.py").write_text(TOGETHER.replace("OUT", str(conf.parent)))
    return conf


def test_two_sweeps_of_one_moment_have_each_a_folder_and_rows_of_their_own(
    together: Path, tmp_path: Path
) -> None:
    """The clock of this test says the same for a year."""
    named = "hydra.sweep.dir='" + str(tmp_path / "a [sweep]") + " ${now:%Y}'"
    sweeps = [begin(together, "rank", "-m", f"seed={seed}", named) for seed in (2, 5)]
    (failed, told), (done, quiet) = (sweep.communicate(timeout=240) for sweep in sweeps)
    assert [sweep.returncode for sweep in sweeps] == [1, 0]
    assert "1 of the 1 jobs that began did not end well" in told and quiet == ""
    for out, row in ((failed, ("0", "seed=2", "failed")), (done, ("0", "seed=5", "done"))):
        rows = [
            line.split()
            for line in out.splitlines()
            if line.rstrip().endswith((" done", " failed"))
        ]
        assert [(one[0], one[1], one[-1]) for one in rows] == [row]
    year = f"{datetime.now():%Y}"
    folders = sorted(tmp_path.glob("a*"))
    assert [folder.name for folder in folders] == [f"a [sweep] {year}", f"a [sweep] {year}-2"]
    assert sorted(state for folder in folders for _, _, state in states(folder)) == [
        "done",
        "failed",
    ]


def test_a_sweep_that_is_running_keeps_its_folder(together: Path, tmp_path: Path) -> None:
    first = begin(together, "rank", "-m", "seed=5")
    while not (tmp_path / "sweep" / "0" / "outcome.json").exists():
        assert first.poll() is None
        time.sleep(0.05)
    second = begin(together, "rank", "-m", "seed=6")
    _, told = second.communicate(timeout=120)
    assert second.returncode == 2
    assert f"another sweep is running in {tmp_path / 'sweep'}" in told and "Traceback" not in told
    (tmp_path / "begun").mkdir(exist_ok=True)
    (tmp_path / "begun" / "6").touch()
    assert first.communicate(timeout=120)[1] == ""
    assert states(tmp_path / "sweep") == [(0, "seed=5", "done")]
    assert begin(together, "rank", "-m", "seed=6").wait(120) == 0  # the folder is free again
    assert states(tmp_path / "sweep") == [(0, "seed=6", "done")]


def test_the_folders_of_our_own_config_are_new_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopped(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime(2024, 2, 29, 12, 0, 0)

    (tmp_path / "nothing_to_do.py").write_text("def index(cfg): pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("hydra.core.utils.datetime", Stopped)
    root = tmp_path / "runs"
    for flags in ([], ["-m"], [], ["-m"]):
        assert main(["index", *flags, f"root={root}"], commands="nothing_to_do") == 0
    names = [f"2024-02-29_12-00-00{end}" for end in ("", "-2", "-3", "-4")]
    assert sorted(path.name for path in (root / "hydra").iterdir()) == names
    for name, sweeps in zip(names, (False, True, False, True), strict=True):
        assert (root / "hydra" / name / "0" / "outcome.json").exists() == sweeps
        assert (root / "hydra" / name / ".hydra").exists() != sweeps
