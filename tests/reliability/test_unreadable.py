"""A file that the system does not let us read is not a broken one: stop, and change nothing."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from forked import run
from two_worlds import build

from ltrgr.cli.doctor import artefacts
from ltrgr.corpus.records import Passage
from ltrgr.corpus.store import PassageStore
from ltrgr.errors import CorpusError, IndexFormatError
from ltrgr.index.fm_index import FMIndex
from ltrgr.index.shards import Shards
from ltrgr.json_file import (
    DamagedFileError,
    MissingFileError,
    UnreadableFileError,
    checksum,
    read_json,
    read_json_object,
    state_of,
)
from ltrgr.pipeline.artefact import Artefact
from ltrgr.pipeline.catalogue import catalogue
from ltrgr.pipeline.checkpoints import resumable
from ltrgr.pipeline.generation_check import Validation

NOBODY = 65534


def broken_disk(path: Path) -> None:
    """Reading ``path`` is an I/O error from now on, for root too."""
    path.unlink()
    path.symlink_to("/proc/self/mem")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that another user reaches (pytest's own he does not)."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


def as_nobody(work: Callable[[], object]) -> int:
    """Do ``work`` without root's rights; its exit code."""

    def drop() -> None:
        if os.getuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        work()

    return run(drop)


def artefact(root: Path) -> Artefact:
    return Artefact(root=root, stage="index", inputs={"a": 1})


def make(partial: Path) -> None:
    (partial / "rows").write_bytes(b"123456789")


def seen(root: Path) -> dict[str, int]:
    return {str(path): path.lstat().st_ino for path in root.rglob("*")}


def refuses(one: Artefact, match: str) -> None:
    """Every way to ask for it stops, and nothing is made."""

    def never(partial: Path) -> None:
        raise AssertionError("built again")

    for ask in (one.problem, one.is_done, one.open, lambda: one.build(never)):
        with pytest.raises(UnreadableFileError, match=match):
            ask()


def test_a_good_artefact_on_a_failing_disk_stays_where_it_is(tmp_path: Path) -> None:
    one = artefact(tmp_path)
    directory = one.build(make)
    broken_disk(directory / "DONE.json")
    before = seen(directory)
    refuses(
        one, r"DONE\.json is there and cannot be read \(Input/output error\); nothing was changed"
    )
    assert seen(directory) == before
    assert [path.name for path in tmp_path.glob("index/*")].count(directory.name) == 1
    assert not list(tmp_path.glob("index/*.broken-*"))


@pytest.mark.parametrize("closed", ["DONE.json", ".", ".."])
def test_without_the_right_to_read_it_an_artefact_stays_where_it_is(
    open_folder: Path, closed: str
) -> None:
    one = artefact(open_folder)
    directory = one.build(make)
    directory.parent.chmod(0o777)
    one.directory.with_name(f"{directory.name}.lock").chmod(0o666)
    before = seen(directory)
    (directory / closed).resolve().chmod(0)
    try:
        assert as_nobody(lambda: refuses(one, "Permission denied")) == 0
    finally:
        (directory / closed).resolve().chmod(0o777)
    assert seen(directory) == before
    assert one.verified()


def test_a_byte_that_cannot_be_read_is_no_changed_one(tmp_path: Path) -> None:
    one = artefact(tmp_path)
    directory = one.build(make)
    assert one.verified()
    (directory / "rows").write_bytes(b"12345678X")
    assert not one.verified()  # moved aside
    assert one.build(make) == directory
    assert one.verified()
    with pytest.raises(UnreadableFileError):
        broken_disk(directory / "rows")
        checksum(directory / "rows", cure="")


def test_a_begun_artefact_with_an_unreadable_mark_keeps_its_checkpoints(tmp_path: Path) -> None:
    one = artefact(tmp_path)
    with pytest.raises(RuntimeError), one.writing() as partial:
        assert partial is not None
        (partial / "checkpoint").write_text("step 10")
        raise RuntimeError
    broken_disk(one.partial / "PARTIAL.json")
    with pytest.raises(UnreadableFileError, match=r"PARTIAL\.json"), one.writing():
        pass
    assert (one.partial / "checkpoint").read_text() == "step 10"


def test_an_unreadable_checkpoint_is_not_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    torch.save({"a": 1}, path)
    assert resumable(path) == path
    broken_disk(path)
    with pytest.raises(UnreadableFileError, match=r"last\.ckpt is there and cannot be read"):
        resumable(path)
    assert path.is_symlink()
    path.unlink()
    path.write_bytes(b"PK")
    assert resumable(path) is None  # damaged
    assert (tmp_path / "last.ckpt.broken").is_file()


def test_an_unreadable_validation_is_not_a_model_that_was_not_validated(tmp_path: Path) -> None:
    assert Validation.load(tmp_path) is None
    path = tmp_path / "validation.json"
    for damage in ("", "[]", '{"figures": [1]}', '{"figures": {"dev/x": "high"}}'):
        path.write_text(damage)
        with pytest.raises(DamagedFileError, match=r"validation\.json is "):
            Validation.load(tmp_path)
    broken_disk(path)
    with pytest.raises(UnreadableFileError):
        Validation.load(tmp_path)


def test_the_doctor_calls_it_unreadable_and_not_broken(tmp_path: Path) -> None:
    directory = artefact(tmp_path).build(make)
    assert [entry.state for entry in catalogue(tmp_path)] == ["done"]
    broken_disk(directory / "DONE.json")
    assert [entry.state for entry in catalogue(tmp_path)] == ["unreadable"]
    (found,) = artefacts(tmp_path)
    assert "1 that cannot be read" in found.value
    assert "rm" not in found.problem
    (directory / "DONE.json").unlink()
    (directory / "DONE.json").write_text("{")
    assert [entry.state for entry in catalogue(tmp_path)] == ["broken"]


@pytest.mark.parametrize("name", ["index.json", "bwt.npy"])
def test_an_unreadable_index_is_not_built_again(tmp_path: Path, name: str) -> None:
    build(tmp_path / "index")
    broken_disk(tmp_path / "index" / name)
    refused = UnreadableFileError if name == "index.json" else IndexFormatError  # of another size
    with pytest.raises(refused):
        FMIndex.open(tmp_path / "index")


def test_an_index_that_may_not_be_read_is_not_called_damaged(open_folder: Path) -> None:
    build(open_folder / "index")
    (open_folder / "index").chmod(0o755)
    (open_folder / "index" / "index.json").chmod(0)

    def refused() -> None:
        for _ in range(2):
            with pytest.raises(UnreadableFileError, match=r"index\.json is there"):
                Shards.open(open_folder / "index")

    assert as_nobody(refused) == 0
    (open_folder / "index" / "index.json").unlink()
    with pytest.raises(IndexFormatError, match=r"index\.json is missing"):
        FMIndex.open(open_folder / "index")


def test_passages_that_may_not_be_read_are_not_called_damaged(open_folder: Path) -> None:
    PassageStore.write([Passage("a", "Oak", "A tree.")], open_folder)
    (open_folder / "passages.npy").chmod(0)

    def refused() -> None:
        with pytest.raises(UnreadableFileError, match=r"passages\.npy is there"):
            PassageStore(open_folder)

    assert as_nobody(refused) == 0
    (open_folder / "passages.npy").unlink()
    with pytest.raises(CorpusError, match="cannot be read"):
        PassageStore(open_folder)


def test_missing_damaged_and_unreadable_are_three_things(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    for missing in (path, tmp_path / "no" / "x.json", path / "below"):
        with pytest.raises(MissingFileError, match="is missing; do this"):
            read_json(missing, cure="do this")
        assert state_of(missing) is None
    for text in (b"", b"{", b"\xff\xfe", b"[" * 200_000, b'{"a": 1}x'):
        path.write_bytes(text)
        with pytest.raises(DamagedFileError, match=r"is not readable JSON.*; do this"):
            read_json(path, cure="do this")
    path.write_text("[1]")
    assert read_json(path, cure="") == [1]
    with pytest.raises(DamagedFileError, match="holds a list, expected an object"):
        read_json_object(path, cure="")
    (tmp_path / "folder").mkdir()
    with pytest.raises(DamagedFileError, match="is no file"):
        read_json(tmp_path / "folder", cure="")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    with pytest.raises(DamagedFileError, match="is no file"):
        read_json(tmp_path / "circle", cure="")
    broken_disk(path)
    with pytest.raises(UnreadableFileError):
        read_json(path, cure="")
    assert state_of(path) is not None
