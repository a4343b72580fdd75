"""Readers beside a process that puts one index after the other in the same place."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from forked import end_of, run, start
from two_worlds import NEW, OLD, build, by_index, by_scan
from whole_index import write_index

from ltrgr.index import replace
from ltrgr.index.fm_index import FMIndex

EITHER = (by_scan(OLD), by_scan(NEW))
ROUNDS = 150


def read_until(directory: Path, ended: Path) -> None:
    held = FMIndex.open(directory)
    first = by_index(held)
    seen = set()
    while not ended.exists():
        found = by_index(FMIndex.open(directory))
        assert found in EITHER
        seen.add(EITHER.index(found))
        assert by_index(held) == first  # what is open stays what it was
    assert seen


def test_every_answer_is_the_old_or_the_new_index(tmp_path: Path) -> None:
    directory, ended = tmp_path / "index", tmp_path / "ended"
    worlds = [build(tmp_path / "new", NEW).arrays, build(directory).arrays]
    assert by_index(FMIndex.open(directory)) == EITHER[0]  # compiled before the children start

    def replace_often() -> None:
        try:
            for turn in range(ROUNDS):
                write_index(arrays=worlds[turn % 2], directory=directory)
        finally:
            ended.touch()

    readers = [start(lambda: read_until(directory, ended)) for _ in range(2)]
    writer = start(replace_often)
    failed: list[BaseException] = []

    def in_thread() -> None:
        try:
            read_until(directory, ended)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=in_thread) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert [end_of(child) for child in (*readers, writer)] == [0, 0, 0]
    assert failed == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["ended", "index", "new"]


def test_two_builders_of_one_place_do_not_disturb_each_other(tmp_path: Path) -> None:
    directory = tmp_path / "index"
    worlds = [build(tmp_path / "new", NEW).arrays, build(tmp_path / "old").arrays]

    def build_often(turn: int) -> None:
        for _ in range(40):
            write_index(arrays=worlds[turn], directory=directory)

    builders = [start(lambda turn=turn: build_often(turn)) for turn in (0, 1)]
    assert [end_of(child) for child in builders] == [0, 0]
    assert by_index(FMIndex.open(directory, verify=True)) in EITHER


def test_where_names_cannot_be_exchanged_two_steps_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replace, "_exchange", lambda one, other: False)
    build(tmp_path / "index")
    assert by_index(build(tmp_path / "index", NEW)) == EITHER[1]
    assert [p.name for p in tmp_path.iterdir()] == ["index"]


def test_a_kill_between_the_two_steps_is_mended_by_the_next_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from forked import die

    directory = tmp_path / "index"
    build(directory)
    monkeypatch.setattr(replace, "_exchange", lambda one, other: False)
    rename = Path.rename

    def first_step_only(self: Path, target: Path) -> Path:
        return rename(self, target) if ".old@" in Path(target).name else refuse_or_die(self, target)

    def refuse_or_die(self: Path, target: Path) -> Path:
        return die() if not target.exists() else rename(self, target)  # type: ignore[return-value]

    def killed() -> None:
        Path.rename = first_step_only  # type: ignore[method-assign,assignment]
        build(directory, NEW)

    assert run(killed) == -9
    assert not directory.exists()
    replace.remove_leftovers(directory)  # what every build begins with
    assert by_index(FMIndex.open(directory, verify=True)) == EITHER[0]
    assert [p.name for p in tmp_path.iterdir()] == ["index"]


def test_names_that_are_patterns_lose_nobody_elses_files(tmp_path: Path) -> None:
    theirs = replace.sibling(tmp_path / "ab", "partial")
    theirs.mkdir()
    build(tmp_path / "a*")
    build(tmp_path / "a*", NEW)
    assert theirs.is_dir()
    assert by_index(FMIndex.open(tmp_path / "a*")) == EITHER[1]
