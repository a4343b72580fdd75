"""Processes killed at any moment: what was there stays, and the next run succeeds."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from pathlib import Path

import pytest
from forked import die, end_of, run, start
from two_worlds import NEW, OLD, build, by_index, by_scan
from whole_index import write_index

from ltrgr.index.fm_index import FMIndex

STEPS = [
    "suffix array",
    "Burrows-Wheeler transform",
    "occurrence lists",
    "passages of rare tokens",
    "wide intervals",
    "saving",
    "done",
]


def contents(directory: Path) -> dict[str, bytes]:
    files = (p for p in directory.rglob("*") if p.is_file())
    return {p.relative_to(directory).as_posix(): p.read_bytes() for p in files}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("undisturbed") / "index"
    build(directory, NEW)  # also compiles everything before the first fork
    by_index(FMIndex.open(directory))
    return directory


@pytest.mark.parametrize("step", STEPS)
def test_a_build_killed_at_a_step(tmp_path: Path, undisturbed: Path, step: str) -> None:
    directory = tmp_path / "index"
    build(directory)
    kill = {step: die}
    progress = lambda name, share: kill.get(name, lambda: None)()  # noqa: E731
    assert run(lambda: build(directory, NEW, progress=progress)) == -signal.SIGKILL
    left = by_scan(NEW if step == "done" else OLD)
    assert by_index(FMIndex.open(directory, verify=True)) == left
    build(directory, NEW)
    assert contents(directory) == contents(undisturbed)
    assert [p.name for p in tmp_path.iterdir()] == ["index"]


def test_every_step_is_known(tmp_path: Path) -> None:
    steps: list[str] = []
    build(tmp_path / "index", progress=lambda step, share: steps.append(step))
    assert list(dict.fromkeys(steps)) == STEPS


def test_a_build_killed_at_any_moment(tmp_path: Path, undisturbed: Path) -> None:
    directory = tmp_path / "index"
    worlds = [build(tmp_path / "new", NEW).arrays, build(directory).arrays]

    def replace_without_end() -> None:
        for turn in range(10_000):
            write_index(arrays=worlds[turn % 2], directory=directory)

    moments = random.Random(3)
    for _ in range(25):
        child = start(replace_without_end)
        time.sleep(moments.uniform(0.001, 0.1))
        os.kill(child, signal.SIGKILL)
        assert end_of(child) == -signal.SIGKILL
        assert by_index(FMIndex.open(directory, verify=True)) in (by_scan(OLD), by_scan(NEW))
    build(directory, NEW)
    assert contents(directory) == contents(undisturbed)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["index", "new"]


@pytest.mark.slow
def test_the_index_stage_killed_at_any_moment(tmp_path: Path) -> None:
    from ltrgr.pipeline.index_stage import build_index, index_artefact
    from ltrgr.pipeline.settings import IndexSettings
    from tiny_world import MINDER, QUIET, tiny_backbone, tiny_corpus

    corpus, backbone = tiny_corpus(), tiny_backbone()

    def stage(root: Path) -> Path:
        artefact = index_artefact(root=root, corpus=corpus, family=MINDER, backbone=backbone)
        return artefact.build(
            lambda directory: build_index(
                directory,
                corpus=corpus,
                family=MINDER,
                backbone=backbone,
                settings=IndexSettings(),
                compute=QUIET,
            )
        )

    def files(directory: Path) -> dict[str, bytes]:
        own = {"DONE.json", "environment.json"}  # when it was built, and how long it took
        return {name: c for name, c in contents(directory).items() if name not in own}

    stage(tmp_path / "warm")
    began = time.perf_counter()
    expected = files(stage(tmp_path / "undisturbed"))
    seconds = time.perf_counter() - began
    moments = random.Random(5)
    killed = 0
    for attempt in range(8):
        child = start(lambda: stage(tmp_path / "killed"))
        time.sleep(seconds * moments.uniform(0.05, 1.0))
        os.kill(child, signal.SIGKILL)
        killed += end_of(child) == -signal.SIGKILL
        done = stage(tmp_path / "killed") if attempt % 2 else None
        if done is not None:
            assert files(done) == expected
            listed = json.loads((done / "DONE.json").read_text())["files"]
            assert {f["path"] for f in listed} == set(contents(done)) - {"DONE.json"}
            (done / "DONE.json").write_text("damaged")  # set aside by the next
    assert killed
