from __future__ import annotations

import json
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from naive_index import World

from ltrgr.errors import IndexFormatError
from ltrgr.index import storage
from ltrgr.index.fm_index import FMIndex

WORLD = World(np.array([1, 2, 1, 3, 1, 2, 4], np.int32), np.array([0, 4, 7]), 6, [], 4096)
OTHER = World(np.array([5, 5, 5], np.int32), np.array([0, 3]), 6, [], 4096)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    WORLD.build(tmp_path / "index")
    return tmp_path / "index"


def count(directory: Path, key: list[int], *, verify: bool = False) -> int:
    lo, hi = FMIndex.open(directory, verify=verify).interval(key)
    return hi - lo


def edit_header(directory: Path, **changes: object) -> None:
    header = json.loads((directory / "index.json").read_text())
    (directory / "index.json").write_text(json.dumps(header | changes))


def test_open_gives_what_was_built(directory: Path) -> None:
    index = FMIndex.open(directory, verify=True)
    assert (index.n_tokens, index.n_passages, index.vocabulary_size) == (7, 2, 6)
    assert count(directory, [1, 2]) == 2


def test_an_open_index_cannot_be_written_to(directory: Path) -> None:
    with pytest.raises(ValueError, match="read-only"):
        FMIndex.open(directory).arrays.text[0] = 3


def test_a_missing_index(tmp_path: Path) -> None:
    with pytest.raises(IndexFormatError, match=r"no index at .*nowhere.*`ltrgr index`"):
        FMIndex.open(tmp_path / "nowhere")


@pytest.mark.parametrize("name", storage.STORED)
def test_every_file_is_missed(directory: Path, name: str) -> None:
    (directory / f"{name}.npy").unlink()
    with pytest.raises(IndexFormatError, match=rf"{name}.npy is missing.*`ltrgr index`"):
        FMIndex.open(directory)


@pytest.mark.parametrize("name", storage.STORED)
def test_every_truncated_file_is_noticed(directory: Path, name: str) -> None:
    path = directory / f"{name}.npy"
    size = path.stat().st_size
    os.truncate(path, size - 1)
    with pytest.raises(IndexFormatError, match=f"has {size - 1} bytes, expected {size}"):
        FMIndex.open(directory)


def test_a_flipped_byte_is_found_by_verify(directory: Path) -> None:
    path = directory / "occurrences.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    FMIndex.open(directory, verify=False)  # nothing to be seen without reading it all
    for verify in (True, None):
        with pytest.raises(IndexFormatError, match=r"occurrences\.npy does not match its checksum"):
            FMIndex.open(directory, verify=verify)


def test_a_damaged_npy_header_is_found_at_once(directory: Path) -> None:
    path = directory / "bwt.npy"
    content = path.read_bytes()
    path.write_bytes(b"?" * 8 + content[8:])
    with pytest.raises(IndexFormatError, match=r"bwt\.npy is no numpy file"):
        FMIndex.open(directory)


def test_an_array_of_another_type_is_found_at_once(directory: Path) -> None:
    path = directory / "bwt.npy"
    np.save(path, np.load(path).astype(np.int16))  # as many bytes
    with pytest.raises(IndexFormatError, match=r"bwt.npy holds <i2\[8\], expected <u2\[8\]"):
        FMIndex.open(directory)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 1}, "format version 1, this ltrgr reads 3: build it again with `ltrgr index`"),
        ({"format": "somebody else's"}, "does not describe an ltrgr-index"),
        ({"files": {}}, "lacks entries"),
        ({"wide_threshold": None}, "lacks entries"),
        ({"tokens": 8}, r"holds \(7, 2, 6\) tokens, passages and token ids, .* says \(8, 2, 6\)"),
    ],
)
def test_a_foreign_header(directory: Path, changes: dict[str, object], message: str) -> None:
    edit_header(directory, **changes)
    with pytest.raises(IndexFormatError, match=message):
        FMIndex.open(directory)


@pytest.mark.parametrize("content", ["{", "", "[1]"])
def test_a_header_that_is_no_header(directory: Path, content: str) -> None:
    (directory / "index.json").write_text(content)
    with pytest.raises(IndexFormatError, match="`ltrgr index`"):
        FMIndex.open(directory)


def test_rebuilding_replaces_the_index_and_spares_its_readers(directory: Path) -> None:
    before = FMIndex.open(directory)
    OTHER.build(directory)
    assert count(directory, [5], verify=True) == 3
    assert before.interval([1, 2])[1] - before.interval([1, 2])[0] == 2
    assert [path.name for path in directory.parent.iterdir()] == ["index"]


def test_a_directory_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(IndexFormatError, match=r"holds no index\.json.*left as it is"):
        WORLD.build(tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_an_empty_directory_and_missing_parents_will_do(tmp_path: Path) -> None:
    WORLD.build(tmp_path)
    WORLD.build(tmp_path.parent / f"{tmp_path.name}-deep" / "er")
    assert count(tmp_path, [1]) == 3


def test_two_processes_read_one_index(directory: Path) -> None:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        results = [pool.submit(count, directory, key) for key in ([1], [1, 2])]
        assert [result.result(timeout=60) for result in results] == [3, 2]
