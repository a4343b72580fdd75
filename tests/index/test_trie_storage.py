"""A saved trie and the token stream beside it: whole, or refused with the command to mend it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from docid_worlds import DocidWorld, random_world
from ltrgr.errors import IndexFormatError
from ltrgr.index import storage
from ltrgr.index.fm_index import FMIndex
from ltrgr.index.kinds import holds_index, open_index
from ltrgr.index.shards import Shards
from ltrgr.index.token_stream import read_stream, write_stream
from ltrgr.index.trie import IdentifierTrie

WORLD = random_world(passages=12, symbols=3, length=4, seed=0)
OTHER = random_world(passages=12, symbols=3, length=4, seed=1)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    WORLD.trie(tmp_path / "trie")
    return tmp_path / "trie"


def is_whole(index: IdentifierTrie, world: DocidWorld = WORLD) -> bool:
    keys = world.prefixes()
    lo, hi = index.intervals(np.cumsum([0, *map(len, keys)]), [t for key in keys for t in key])
    return (hi - lo)[:, 0].tolist() == [len(world.holders(key)) for key in keys]


def test_open_gives_what_was_built(directory: Path) -> None:
    index = IdentifierTrie.open(directory, verify=True)
    assert (index.n_passages, index.vocabulary_size, len(index)) == (12, WORLD.size, 1)
    assert index.n_tokens == len(WORLD.tokens)
    assert is_whole(index)
    with pytest.raises(ValueError, match="read-only"):
        index.arrays[0].token[0] = 3


@pytest.mark.parametrize("name", storage.TRIE.arrays)
def test_every_file_is_missed_and_every_cut_noticed(directory: Path, name: str) -> None:
    path = directory / f"{name}.npy"
    size = path.stat().st_size
    os.truncate(path, size - 1)
    with pytest.raises(IndexFormatError, match=f"has {size - 1} bytes, expected {size}: build it"):
        IdentifierTrie.open(directory)
    path.unlink()
    with pytest.raises(IndexFormatError, match=rf"{name}\.npy is missing.*`ltrgr index`"):
        IdentifierTrie.open(directory)


@pytest.mark.parametrize("name", storage.TRIE.arrays)
def test_a_flipped_byte_is_found(directory: Path, name: str) -> None:
    path = directory / f"{name}.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    for verify in (True, None):
        with pytest.raises(IndexFormatError, match=rf"{name}\.npy does not match its checksum"):
            IdentifierTrie.open(directory, verify=verify)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 2}, "format version 2, this ltrgr reads 3: build it again with `ltrgr index`"),
        ({"format": "ltrgr-index"}, "does not describe an ltrgr-trie"),
        ({"files": {}}, "lacks entries"),
        ({"passages": None}, "lacks entries"),
        ({"passages": 13}, r"arrays of \[12, 13\] passages and \[\d+\] nodes, expected one number"),
    ],
)
def test_a_foreign_header(directory: Path, changes: dict[str, object], message: str) -> None:
    header = json.loads((directory / "index.json").read_text())
    (directory / "index.json").write_text(json.dumps(header | changes))
    with pytest.raises(IndexFormatError, match=message):
        IdentifierTrie.open(directory)


def test_rebuilding_replaces_the_trie_and_spares_its_readers(directory: Path) -> None:
    before = IdentifierTrie.open(directory)
    OTHER.trie(directory)
    assert is_whole(before)
    assert is_whole(IdentifierTrie.open(directory, verify=True), OTHER)
    assert [path.name for path in directory.parent.iterdir()] == ["trie"]


def test_a_build_that_fails_leaves_the_old_trie(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(5, "no")

    monkeypatch.setattr("ltrgr.index.writing._write", full)
    with pytest.raises(OSError, match="no"):
        OTHER.trie(directory)
    assert is_whole(IdentifierTrie.open(directory, verify=True))
    assert [path.name for path in directory.parent.iterdir()] == ["trie"]


def test_an_index_of_the_other_kind_is_refused(tmp_path: Path) -> None:
    WORLD.trie(tmp_path / "trie")
    with pytest.raises(IndexFormatError, match="does not describe an ltrgr-index"):
        FMIndex.open(tmp_path / "trie")


def test_the_folder_says_the_kind(tmp_path: Path) -> None:
    assert not holds_index(tmp_path)
    with pytest.raises(IndexFormatError, match=r"no index at .*`ltrgr index`"):
        open_index(tmp_path)
    WORLD.trie(tmp_path / "one" / "trie")
    assert holds_index(tmp_path / "one")
    assert isinstance(open_index(tmp_path / "one"), IdentifierTrie)
    Shards.build(
        tokens=WORLD.tokens,
        offsets=WORLD.offsets,
        vocabulary_size=WORLD.size,
        directory=tmp_path / "other" / "fm_index",
    )
    assert holds_index(tmp_path / "other")
    assert isinstance(open_index(tmp_path / "other"), Shards)


@pytest.mark.parametrize("size", [40, 70_000])
def test_the_token_stream_comes_back(tmp_path: Path, size: int) -> None:
    tokens, offsets = np.array([3, size - 1, 0, 7], np.int32), np.array([0, 1, 4])
    write_stream(tmp_path / "stream", tokens=tokens, offsets=offsets, vocabulary_size=size)
    for ours, theirs in zip(read_stream(tmp_path / "stream"), (tokens, offsets), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert read_stream(tmp_path / "stream")[0].dtype == np.int32
    path = tmp_path / "stream" / "tokens.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(IndexFormatError, match=r"tokens\.npy does not match .*`ltrgr index`"):
        read_stream(tmp_path / "stream")
