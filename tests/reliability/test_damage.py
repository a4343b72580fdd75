"""Damaged files: refused, or the answer is right all the same; never a crash."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from forked import run
from two_worlds import NEW, OLD, build, by_index, by_scan

from docid_worlds import random_world
from ltrgr.corpus.records import Passage
from ltrgr.corpus.store import PassageStore
from ltrgr.errors import CorpusError, IndexFormatError
from ltrgr.finished import sealed
from ltrgr.index import any_index, storage, verified
from ltrgr.index.fm_index import FMIndex
from ltrgr.index.trie import IdentifierTrie
from ltrgr.index.trie_arrays import TrieArrays
from ltrgr.pipeline.artefact import Artefact

FILES = [storage.HEADER, *(f"{name}.npy" for name in storage.STORED)]
RIGHT = by_scan(OLD)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("whole") / "index"
    assert by_index(build(directory)) == RIGHT
    return directory


def damaged(content: bytes) -> list[bytes]:
    """Cut and flipped at places all over the file."""
    places = sorted({*range(0, 12, 2), *np.linspace(0, len(content) - 1, 24, dtype=int).tolist()})
    flipped = [
        content[:i] + bytes([content[i] ^ (1 << (i + turn) % 8)]) + content[i + 1 :]
        for i in places
        for turn in (0, 4)
    ]
    swapped = content[: len(content) // 2][::-1] + content[len(content) // 2 :]
    return [*flipped, *(content[:i] for i in places), content + b"\0", swapped, b""]


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_refused_or_harmless(whole: Path, tmp_path: Path, name: str) -> None:
    directory = Path(shutil.copytree(whole, tmp_path / "index"))
    content = (directory / name).read_bytes()

    def try_all() -> None:
        refused = 0
        for changed in damaged(content):
            (directory / name).write_bytes(changed)
            for verify in (None, True):
                try:
                    index = FMIndex.open(directory, verify=verify)
                except IndexFormatError as error:
                    assert "`ltrgr index`" in str(error)
                    refused += 1
                else:
                    assert by_index(index) == RIGHT or changed == content
        assert refused >= 80

    assert run(try_all) == 0


DOCIDS = random_world(passages=9, symbols=3, length=4, seed=0)


def counted(trie: IdentifierTrie) -> list[tuple[int, int, list[int]]]:
    """Rows and passages of every prefix, from the open index."""
    found = [(key, *(int(rows[0]) for rows in trie.interval(key))) for key in DOCIDS.prefixes()]
    return [(lo, hi, trie.arrays[0].passage[lo:hi].tolist()) for _, lo, hi in found]


@pytest.mark.parametrize("name", [storage.HEADER, *(f"{name}.npy" for name in storage.TRIE.arrays)])
def test_a_damaged_trie_is_refused_or_harmless(tmp_path: Path, name: str) -> None:
    right = counted(DOCIDS.trie(tmp_path / "trie"))
    assert [passages for _, _, passages in right if len(passages) == 9] == [right[0][2]]
    content = (tmp_path / "trie" / name).read_bytes()

    def try_all() -> None:
        refused = 0
        for changed in damaged(content):
            (tmp_path / "trie" / name).write_bytes(changed)
            try:
                index = IdentifierTrie.open(tmp_path / "trie")
            except IndexFormatError as error:
                assert "`ltrgr index`" in str(error)
                refused += 1
            else:
                assert counted(index) == right
        assert refused >= 40

    assert run(try_all) == 0


def test_a_trie_that_changes_in_use_crashes_no_step() -> None:
    """Every step on arrays of noise: whatever rows and passages come out are within the arrays."""
    whole = DOCIDS.trie().arrays[0]
    random = np.random.default_rng(0)

    def try_all() -> None:
        for _ in range(300):
            arrays = TrieArrays(
                *(random.integers(0, 2**62, len(a)).astype(a.dtype) for a in whole)
                if random.random() < 0.5
                else (np.where(random.random(len(a)) < 0.3, -1, a).astype(a.dtype) for a in whole)
            )
            stamp, out = np.zeros(DOCIDS.size + 1, np.int64), np.full(2 * DOCIDS.size, -1, np.int32)
            for key in DOCIDS.prefixes():
                lo, hi = 0, 9
                for depth, token in enumerate(key):
                    n = any_index.allowed(arrays, lo, hi, depth, stamp, 1, out)
                    assert 0 <= n <= DOCIDS.size
                    assert (out[:n] < DOCIDS.size).all()
                    lo, hi = any_index.extend(arrays, lo, hi, token, depth)
                    assert 0 <= lo <= hi <= 9
                for row in range(lo, hi):
                    any_index.position_of_row(arrays, row, len(key))
            assert (out[DOCIDS.size :] == -1).all()

    assert run(try_all) == 0


def test_a_large_index_is_read_once_a_machine(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    checksum = storage._checksum
    monkeypatch.setattr(verified, "ALWAYS", 0)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(storage, "_checksum", lambda file: read.append(file.name) or checksum(file))
    built = tmp_path / "built"
    build(built)
    read.clear()
    FMIndex.open(built)  # who wrote it has read it
    moved = built.rename(tmp_path / "moved")
    FMIndex.open(moved)
    assert read == []
    copied = Path(shutil.copytree(moved, tmp_path / "copied"))
    FMIndex.open(copied)
    assert len(read) == len(storage.STORED)
    FMIndex.open(copied)
    FMIndex.open(whole, verify=False)
    assert len(read) == len(storage.STORED)
    (copied / "bwt.npy").write_bytes((moved / "bwt.npy").read_bytes()[:-1] + b"\1")
    for _ in range(2):  # a refusal leaves no stamp
        with pytest.raises(IndexFormatError, match=r"bwt\.npy does not match its checksum"):
            FMIndex.open(copied)


def test_without_a_cache_a_large_index_is_read_every_time(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(verified, "ALWAYS", 0)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    for _ in range(2):
        assert by_index(FMIndex.open(whole)) == RIGHT


def test_files_of_another_index_are_refused(whole: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    assert by_index(build(other, NEW)) == by_scan(NEW)
    for name in ("bwt.npy", "suffix_array.npy", "text.npy"):
        mixed = Path(shutil.copytree(whole, tmp_path / name))
        shutil.copy(other / name, mixed / name)
        with pytest.raises(IndexFormatError, match=rf"{name} does not match"):
            FMIndex.open(mixed)


@pytest.mark.parametrize("name", ["passages.npy", "passages.jsonl"])
def test_damaged_passages_are_refused_or_harmless(tmp_path: Path, name: str) -> None:
    passages = [Passage("a", "Oak", "A tree."), Passage("b", "", "Élms"), Passage("c", "Ash", "")]
    PassageStore.write(passages, tmp_path)
    content = (tmp_path / name).read_bytes()

    def try_all() -> None:
        refused = 0
        for changed in damaged(content):
            (tmp_path / name).write_bytes(changed)
            try:
                store = PassageStore(tmp_path)
                found = [store[i] for i in range(len(store))]
            except CorpusError as error:
                assert "`ltrgr index`" in str(error)
                refused += 1
            else:  # a letter in a text may change unseen: Artefact.verify is for that
                assert len(found) == 3
        assert refused >= 40

    assert run(try_all) == 0


def test_a_damaged_done_file_never_counts_as_done_with_other_files(tmp_path: Path) -> None:
    artefact = Artefact(root=tmp_path, stage="index", inputs={"a": 1})
    directory = artefact.build(lambda partial: (partial / "rows").write_bytes(b"123456789"))
    done = directory / "DONE.json"
    content = done.read_bytes()
    for changed in damaged(content):
        done.write_bytes(changed)
        assert artefact.problem() is None or "it" in artefact.problem()  # never raises
    smaller = json.loads(content)
    (listed,) = [entry for entry in smaller["files"] if entry["path"] == "rows"]
    listed["size"] = 6
    done.write_text(json.dumps(smaller))
    assert artefact.problem() == "it has no readable DONE.json"
    done.write_text(json.dumps(sealed(smaller)))
    assert artefact.problem() == "its file rows has 9 bytes; expected 6"
