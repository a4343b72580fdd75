"""Shards, searched as one, against the same corpus in one index."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_index import World, worlds

from ltrgr.errors import IndexFormatError
from ltrgr.index.fm_index import FMIndex
from ltrgr.index.sharding import cut
from ltrgr.index.shards import Shards

CLOSE = 9
# Three passages, "1 2 9", "1 3 1 9" and "1 2 1 9", in a vocabulary of ten.
SMALL = {
    "tokens": np.array([1, 2, 9, 1, 3, 1, 9, 1, 2, 1, 9], np.int32),
    "offsets": np.array([0, 3, 7, 11]),
    "vocabulary_size": 10,
}


@pytest.fixture
def two(tmp_path: Path) -> Shards:
    return Shards.build(**SMALL, directory=tmp_path / "index", shard_tokens=7)


def closed(world: World) -> World:
    """Each passage with a closing marker, as an index asks for."""
    parts = np.split(world.tokens, world.offsets[1:-1])
    return world._replace(
        tokens=np.concatenate([[*part, CLOSE] for part in parts]),
        offsets=world.offsets + np.arange(len(world.offsets)),
        vocabulary_size=CLOSE + 1,
    )


def test_two_shards_by_hand(two: Shards) -> None:
    assert len(two) == 2
    assert (two.n_tokens, two.n_passages, two.vocabulary_size) == (11, 3, 10)
    assert (two.first_token.tolist(), two.first_passage.tolist()) == ([0, 7, 11], [0, 2, 3])
    assert two.passage_offsets.tolist() == [0, 3, 7, 11]
    assert two.tokens().tolist() == SMALL["tokens"].tolist()
    lo, hi = two.intervals([0, 1, 3, 4], [1, 1, 2, 3])  # keys: 1, 1 2, 3
    assert (hi - lo).tolist() == [[3, 2], [1, 1], [1, 0]]
    offsets, tokens, counts = two.allowed(lo, hi)
    assert offsets.tolist() == [0, 3, 5, 6]
    assert tokens.tolist() == [2, 3, 9, 1, 9, 1]
    assert counts.tolist() == [2, 1, 2, 1, 1, 1]
    offsets, places = two.locate(lo, hi, [1, 2, 1])
    assert offsets.tolist() == [0, 5, 7, 8]
    assert sorted(places[:5].tolist()) == [0, 3, 5, 7, 9]
    assert places[5:].tolist() == [0, 7, 4]
    assert two.passage_of([0, 2, 3, 6, 7, 10]).tolist() == [0, 0, 1, 1, 2, 2]
    assert two.passage_tokens(2).tolist() == [1, 2, 1, 9]
    longer = two.extend(lo[:1], hi[:1], [2])
    assert [rows.tolist() for rows in longer] == [[[*r]] for r in two.interval([1, 2])]


def test_what_lies_outside_the_corpus_is_refused(two: Shards) -> None:
    for position in (-1, 11):
        with pytest.raises(IndexError, match="expected 0 to 10"):
            two.passage_of([position])
    for passage in (-1, 3):
        with pytest.raises(IndexError, match="expected 0 to 2"):
            two.passage_tokens(passage)


@settings(max_examples=40, deadline=None)
@given(worlds(vocabulary_size=CLOSE), st.integers(1, 60))
def test_any_cut_equals_the_whole(world: World, shard_tokens: int) -> None:
    world = closed(world)
    corpus: dict[str, Any] = world._asdict()
    keys = corpus.pop("keys")
    with TemporaryDirectory() as parent:  # mapped files outlive their names
        whole = FMIndex.build(**corpus, directory=Path(parent) / "whole")
        # at most about 12 shards: more only take longer
        size = max(shard_tokens, len(world.tokens) // 12)
        cut_up = Shards.build(**corpus, directory=Path(parent) / "cut", shard_tokens=size)
    assert cut_up.n_tokens == whole.n_tokens
    assert max(shard.n_tokens for shard in cut_up.shards) <= max(size, np.diff(world.offsets).max())
    offsets = np.cumsum([0, *map(len, keys)])
    flat = np.array([token for key in keys for token in key], np.int32)
    one, many = whole.intervals(offsets, flat), cut_up.intervals(offsets, flat)
    counts = (many[1] - many[0]).sum(axis=1)
    assert counts.tolist() == [
        one[1][i] - one[0][i] + (0 if key else len(cut_up) - 1) for i, key in enumerate(keys)
    ]
    for ours, theirs in zip(cut_up.allowed(*many), whole.allowed(*one), strict=True):
        assert ours.tolist() == theirs.tolist()
    begin, found = cut_up.locate(*many, np.diff(offsets))
    begin_one, found_one = whole.locate(*one, np.diff(offsets))
    for i, key in enumerate(keys):
        if key:
            own, other = (
                part[at[i] : at[i + 1]] for at, part in ((begin, found), (begin_one, found_one))
            )
            assert sorted(own.tolist()) == sorted(other.tolist())
    everywhere = np.arange(whole.n_tokens)
    assert cut_up.passage_of(everywhere).tolist() == whole.passage_of(everywhere).tolist()
    for passage in range(whole.n_passages):
        assert np.array_equal(cut_up.passage_tokens(passage), whole.passage_tokens(passage))


def test_passages_stay_together_and_long_ones_alone() -> None:
    offsets = np.array([0, 3, 5, 12, 14, 16, 17])
    assert cut(offsets, None).tolist() == [0, 6]
    assert cut(offsets, 5).tolist() == [0, 2, 3, 6]
    assert cut(offsets, 1).tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert cut(offsets, 17).tolist() == [0, 6]
    with pytest.raises(IndexFormatError, match="shard_tokens is 0"):
        cut(offsets, 0)


def test_one_shard_is_a_plain_index(tmp_path: Path) -> None:
    Shards.build(**SMALL, directory=tmp_path / "index")
    assert len(Shards.open(tmp_path / "index")) == 1
    assert FMIndex.open(tmp_path / "index").n_tokens == 11


def test_a_killed_build_goes_on_with_the_first_missing_shard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(kill: str | None) -> list[Path]:
        built: list[Path] = []
        original = FMIndex.build

        def watched(**arguments: Any) -> FMIndex:
            built.append(arguments["directory"])
            return original(**arguments)

        def progress(step: str, share: float) -> None:
            if step == kill:
                raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(FMIndex, "build", watched)
            try:
                Shards.build(
                    **SMALL, directory=tmp_path / "index", shard_tokens=4, progress=progress
                )
            except KeyboardInterrupt:
                assert kill
        return [path.name for path in built]

    assert build("shard 2 of 3: saving") == ["shard-00000", "shard-00001"]
    with pytest.raises(IndexFormatError, match=r"was not finished.*ltrgr index"):
        Shards.open(tmp_path / "index")
    assert build(None) == ["shard-00001", "shard-00002"]
    assert len(Shards.open(tmp_path / "index", verify=True)) == 3
    assert build(None) == []


def test_other_passages_are_built_again_and_other_cuts_leave_nothing(tmp_path: Path) -> None:
    directory = tmp_path / "index"
    Shards.build(**SMALL, directory=directory, shard_tokens=4)
    changed = SMALL | {"tokens": np.where(np.arange(11) == 4, 7, SMALL["tokens"])}
    old = {path: path.stat().st_mtime_ns for path in directory.glob("*/index.json")}
    index = Shards.build(**changed, directory=directory, shard_tokens=4)
    assert index.tokens().tolist() == changed["tokens"].tolist()
    kept = [path.parent.name for path, when in old.items() if path.stat().st_mtime_ns == when]
    assert sorted(kept) == ["shard-00000", "shard-00002"]
    Shards.build(**SMALL, directory=directory, shard_tokens=7)
    assert sorted(p.name for p in directory.iterdir()) == [
        "shard-00000",
        "shard-00001",
        "shards.json",
    ]


def test_a_damaged_shard_is_built_again(tmp_path: Path) -> None:
    directory = tmp_path / "index"
    Shards.build(**SMALL, directory=directory, shard_tokens=4)
    path = directory / "shard-00001" / "bwt.npy"
    damaged = bytearray(path.read_bytes())
    damaged[-1] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(IndexFormatError, match="checksum"):
        Shards.open(directory, verify=True)
    Shards.build(**SMALL, directory=directory, shard_tokens=4)
    Shards.open(directory, verify=True)


def test_progress_runs_over_all_shards(tmp_path: Path) -> None:
    seen: list[tuple[str, float]] = []
    Shards.build(
        **SMALL,
        directory=tmp_path / "index",
        shard_tokens=7,
        progress=lambda step, share: seen.append((step, share)),
    )
    shares = [share for _, share in seen]
    assert shares == sorted(shares)
    assert seen[-1] == ("done", 1.0)
    assert [step for step, _ in seen].count("done") == 1
    assert ("shard 2 of 2: suffix array", 7 / 11) in seen


def test_exchanged_missing_and_foreign_shards_are_refused(tmp_path: Path) -> None:
    directory = tmp_path / "index"
    Shards.build(**SMALL, directory=directory, shard_tokens=4)
    first, second, aside = (directory / n for n in ("shard-00000", "shard-00001", "aside"))
    first.rename(aside)
    with pytest.raises(IndexFormatError, match="shard-00000 is missing, expected 3 shards"):
        Shards.open(directory)
    second.rename(first)
    aside.rename(second)
    with pytest.raises(IndexFormatError, match="shard-00000 is not the shard"):
        Shards.open(directory)


def test_shards_of_two_vocabularies_are_refused(tmp_path: Path) -> None:
    shards = [
        FMIndex.build(**(SMALL | {"vocabulary_size": size}), directory=tmp_path / str(size))
        for size in (10, 11)
    ]
    with pytest.raises(IndexFormatError, match=r"vocabulary sizes \[10, 11\]"):
        Shards(shards)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, "does not describe ltrgr-shards"),
        ({"version": 9}, "has format version 9, this ltrgr reads 1"),
        ({"shards": []}, "lacks entries"),
        ({"shards": [{"directory": "shard-00000"}]}, "lacks entries"),
        ({"shards": [{"directory": "../other", "header": ""}]}, r"names ../other, expected shard-"),
    ],
)
def test_a_foreign_manifest_is_refused(tmp_path: Path, change: dict, message: str) -> None:
    directory = tmp_path / "index"
    Shards.build(**SMALL, directory=directory, shard_tokens=4)
    path = directory / "shards.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(IndexFormatError, match=message):
        Shards.open(directory)
    path.write_text("{")
    with pytest.raises(IndexFormatError, match="not readable JSON"):
        Shards.open(directory)


def test_a_directory_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(IndexFormatError, match=r"holds notes.txt: expected a new directory"):
        Shards.build(**SMALL, directory=tmp_path, shard_tokens=4)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    with pytest.raises(IndexFormatError, match="no index at"):
        Shards.open(tmp_path)


def test_a_manifest_whose_writer_was_killed_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / ".shards.json.123.tmp").write_text("{")
    Shards.build(**SMALL, directory=tmp_path, shard_tokens=7)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "shard-00000",
        "shard-00001",
        "shards.json",
    ]


def test_a_wrong_corpus_is_refused_before_the_first_shard(tmp_path: Path) -> None:
    with pytest.raises(IndexFormatError, match="token id 9 at position 2"):
        Shards.build(
            **(SMALL | {"vocabulary_size": 9}), directory=tmp_path / "index", shard_tokens=4
        )
    assert list(tmp_path.iterdir()) == []
