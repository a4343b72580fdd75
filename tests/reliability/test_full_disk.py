"""A disk that is full: the error names it, nothing half-written in use, the old intact."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from forked import run
from two_worlds import NEW, OLD, build, by_index, by_scan

from ltrgr.disk import DiskFullError, naming_the_disk, write_atomically
from ltrgr.identifiers.keys import Keys
from ltrgr.index.fm_index import FMIndex
from ltrgr.pipeline.artefact import Artefact
from ltrgr.pipeline.checkpoints import WholeCheckpoints, resumable
from ltrgr.retrieval.mined import MinedLists

LARGE = 300_000
"""Bytes that no limit below lets through."""


@pytest.fixture(params=["tmpfs", "rlimit"])
def full(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[Path, Callable[[Callable[[], object]], int]]]:
    """A folder, and what runs work in a child to which only some 200 kB can be written there."""
    if request.param == "rlimit":

        def limited(work: Callable[[], object]) -> int:
            def in_child() -> None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
                work()

            return run(in_child)

        yield tmp_path, limited
        return
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("mounting a small tmpfs is not permitted here")
    try:
        yield folder, run
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def expect_full(work: Callable[[], object], place: Path) -> None:
    """``work`` ends with the one error for a full disk."""
    mount = next(p for p in (place, *place.parents) if p.is_mount())
    with pytest.raises(DiskFullError, match=r"could not write all of .* free of .* MB") as caught:
        work()
    text = str(caught.value)
    assert f"on the disk at {mount}" in text
    assert "run the same command again" in text


def large_index(directory: Path) -> FMIndex:
    return FMIndex.build(
        tokens=np.random.default_rng(0).integers(0, 9, LARGE // 4).astype(np.int32),
        offsets=np.array([0, LARGE // 4]),
        vocabulary_size=9,
        directory=directory,
        force=True,  # whatever the plan says: it cannot see every limit
    )


def test_an_index_that_does_not_fit_leaves_the_old_one(full, tmp_path: Path) -> None:
    folder, run_limited = full
    large_index(tmp_path / "elsewhere")  # it compiles, and it would do
    build(folder / "index")
    assert run_limited(lambda: expect_full(lambda: large_index(folder / "index"), folder)) == 0
    assert by_index(FMIndex.open(folder / "index", verify=True)) == by_scan(OLD)
    assert run_limited(lambda: expect_full(lambda: large_index(folder / "new"), folder)) == 0
    assert not (folder / "new").exists()
    assert by_index(build(folder / "index", NEW)) == by_scan(NEW)
    assert not [p for p in folder.iterdir() if "partial" in p.name]


def mined_lists(questions: int) -> MinedLists:
    shape = (questions, 10)
    return MinedLists(
        question=np.arange(questions),
        passage=np.zeros(shape, np.int32),
        score=np.zeros(shape),
        relevance=np.zeros(shape, np.bool_),
        key_index=np.full((*shape, 5), -1, np.int32),
        coverage=np.zeros((*shape, 5), np.float32),
        keys=Keys(
            question_offsets=np.zeros(questions + 1, np.int64),
            view=np.zeros(0, np.int16),
            token_offsets=np.zeros(1, np.int64),
            tokens=np.zeros(0, np.int32),
            lo=np.zeros((0, 1), np.int64),
            hi=np.zeros((0, 1), np.int64),
            log_probability=np.zeros(0, np.float32),
        ),
    )


WRITERS: dict[str, Callable[[Path], object]] = {
    "mined lists": lambda partial: mined_lists(3000).save(partial),
    "text": lambda partial: (partial / "passages.jsonl").write_text("x" * LARGE),
    "atomically": lambda partial: write_atomically(partial / "x.json", "x" * LARGE),
    "weights": lambda partial: torch.save(torch.zeros(LARGE), partial / "weights.pt"),
}


@pytest.mark.parametrize("what", WRITERS)
def test_a_half_written_artefact_is_not_done(full, what: str) -> None:
    folder, run_limited = full
    artefact = Artefact(root=folder, stage="mine", inputs={"what": what})
    assert run_limited(lambda: expect_full(lambda: artefact.build(WRITERS[what]), folder)) == 0
    assert not artefact.is_done()
    directory = artefact.build(lambda partial: mined_lists(3).save(partial), resume=False)
    artefact.verify()
    assert len(MinedLists.load(directory)) == 3
    assert not list(directory.rglob("*.tmp"))


def test_a_checkpoint_that_does_not_fit_leaves_the_last_one(full) -> None:
    folder, run_limited = full
    last = folder / "last.ckpt"
    WholeCheckpoints().save_checkpoint({"step": 3}, last)

    def save_another() -> None:
        with naming_the_disk(last):
            WholeCheckpoints().save_checkpoint({"weights": torch.zeros(LARGE)}, last)

    assert run_limited(lambda: expect_full(save_another, folder)) == 0
    assert resumable(last) == last
    assert torch.load(last) == {"step": 3}
    assert not list(folder.rglob("*.tmp"))


def test_a_damaged_checkpoint_is_moved_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    last = tmp_path / "last.ckpt"
    WholeCheckpoints().save_checkpoint({"weights": torch.arange(5000)}, last)
    whole = last.read_bytes()
    assert resumable(last) == last
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 4]) + whole[middle + 1 :]
    for damaged in (b"", whole[:100], whole[:-1], flipped):
        last.write_bytes(damaged)
        assert resumable(last) is None
        assert "training starts again" in caplog.text
        assert not last.exists()
        assert (tmp_path / "last.ckpt.broken").read_bytes() == damaged
    assert resumable(last) is None


def test_other_errors_pass_unchanged(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), naming_the_disk(tmp_path):
        (tmp_path / "nowhere").read_text()
    with pytest.raises(ValueError, match="mine"), naming_the_disk(tmp_path):
        raise ValueError("mine")
