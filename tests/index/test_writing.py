from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from naive_index import World

from ltrgr.errors import IndexFormatError
from ltrgr.index import replace, writing
from ltrgr.index.fm_index import FMIndex
from ltrgr.index.writing import IndexWriter

WORLD = World(np.array([1, 2, 1, 3, 1, 2, 4], np.int32), np.array([0, 4, 7]), 6, [], 4096)
OTHER = World(np.array([5, 5, 5], np.int32), np.array([0, 3]), 6, [], 4096)
STEPS = 7  # calls of `progress` in a build too short for a heartbeat


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    WORLD.build(tmp_path / "index")
    return tmp_path / "index"


def count(directory: Path, key: list[int]) -> int:
    lo, hi = FMIndex.open(directory, verify=True).interval(key)
    return hi - lo


def kill(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed(work: Callable[[], object]) -> None:
    """Do ``work`` in a child, which must be killed in the middle of it."""
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join(timeout=60)
    assert child.exitcode == -signal.SIGKILL


def build_other(directory: Path, progress: Callable[[str, float], None]) -> None:
    FMIndex.build(
        tokens=OTHER.tokens,
        offsets=OTHER.offsets,
        vocabulary_size=6,
        directory=directory,
        progress=progress,
    )


@pytest.mark.parametrize("step", range(STEPS))
def test_a_build_killed_at_any_step(directory: Path, step: int) -> None:
    seen: list[str] = []

    def progress(name: str, _: float) -> None:
        seen.append(name)
        if len(seen) > step:
            kill()

    killed(lambda: build_other(directory, progress))
    done = step == STEPS - 1  # killed after the rename
    assert count(directory, [5]) == (3 if done else 0)
    assert count(directory, [1, 2]) == (0 if done else 2)
    assert len(list(directory.parent.iterdir())) == (1 if done else 2)  # the rest is left over
    OTHER.build(directory)
    assert count(directory, [5]) == 3
    assert [path.name for path in directory.parent.iterdir()] == ["index"]


def test_a_build_has_that_many_steps(directory: Path) -> None:
    seen: list[str] = []
    build_other(directory, lambda name, _: seen.append(name))
    assert len(seen) == STEPS


@pytest.mark.parametrize("first_build", [True, False])
@pytest.mark.parametrize("moment", ["_write", "put_in_place", "shutil.rmtree"])
def test_a_writer_killed_in_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str, first_build: bool
) -> None:
    directory = tmp_path / "index"
    if not first_build:
        WORLD.build(directory)
    with monkeypatch.context() as patch:
        patch.setattr(f"{writing.__name__}.{moment}", kill)
        killed(lambda: OTHER.build(directory))
    swapped = moment == "shutil.rmtree"
    if first_build and not swapped:
        with pytest.raises(IndexFormatError, match="no index at"):
            FMIndex.open(directory)
    else:
        assert count(directory, [5]) == (3 if swapped else 0)
    OTHER.build(directory)
    assert count(directory, [5]) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["index"]


def test_killed_between_two_renames_where_nothing_can_be_exchanged(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def rename_and_die(self: Path, target: Path) -> None:
        rename(self, target)
        kill()

    monkeypatch.setattr(replace, "_exchange", lambda *_: False)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename_and_die)
        killed(lambda: OTHER.build(directory))
    assert not directory.exists()
    with IndexWriter(directory):  # the next build begins, and gives up
        assert count(directory, [1, 2]) == 2
    OTHER.build(directory)
    assert count(directory, [5]) == 3
    assert [path.name for path in directory.parent.iterdir()] == ["index"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "disk full")])
@pytest.mark.parametrize("moment", ["_write", "put_in_place"])
def test_an_interrupted_build_keeps_the_old_index(
    directory: Path, monkeypatch: pytest.MonkeyPatch, moment: str, error: BaseException
) -> None:
    def interrupt(*_: object) -> None:
        raise error

    monkeypatch.setattr(writing, moment, interrupt)
    with pytest.raises(type(error)):
        OTHER.build(directory)
    monkeypatch.undo()
    assert count(directory, [1, 2]) == 2
    assert [path.name for path in directory.parent.iterdir()] == ["index"]


def test_a_failed_write_ends_the_build_at_the_next_array(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "disk full")

    monkeypatch.setattr(writing, "_write", full)
    with IndexWriter(tmp_path / "index") as writer:
        writer.add("bwt", np.zeros(1))
        writer._thread.submit(int).result()  # the one before it is over
        with pytest.raises(OSError, match="disk full"):
            writer.add("text", np.zeros(1))


def test_leftovers_of_dead_processes_are_removed(directory: Path, dead_process: int) -> None:
    host = socket.gethostname()
    dead = directory.parent / f".index.partial@{host}@{dead_process}"
    recycled = directory.parent / f".index.old@{host}@{os.getpid()}"
    alive = directory.parent / f".index.partial@{host}@{os.getppid()}"
    elsewhere = directory.parent / f".index.partial@not-{host}@{dead_process}"
    for leftover in (dead, recycled, alive, elsewhere):
        leftover.mkdir()
        (leftover / "bwt.npy").write_bytes(b"half")
    WORLD.build(directory)
    assert [p.exists() for p in (dead, recycled, alive, elsewhere)] == [False, False, True, True]
    assert count(directory, [1]) == 3


@pytest.fixture
def dead_process() -> int:
    child = multiprocessing.get_context("spawn").Process(target=int)
    child.start()
    child.join()
    assert child.pid is not None
    return child.pid
