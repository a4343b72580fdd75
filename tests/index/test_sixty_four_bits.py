"""Beyond 2^31 and 2^32 tokens: 64-bit rows built for real, and rows and positions shifted there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from naive_index import followers, positions

from ltrgr.index.arrays import HINT_SHIFT, SAMPLE_SHIFT, IndexArrays
from ltrgr.index.construction import construct
from ltrgr.index.fm_index import FMIndex
from ltrgr.index.writing import IndexWriter

RANDOM = np.random.default_rng(5)
LARGEST = 69_999
"""A token id that needs four bytes."""
TOKENS = RANDOM.choice([0, 1, 2, 3, 65_535, 65_536, LARGEST], 700).astype(np.int32)
OFFSETS = np.array([0, 300, 301, 700])
KEYS = [
    [LARGEST],
    [65_536, 1],
    *(TOKENS[i : i + 3].tolist() for i in (0, 299, 697)),
    [2, 2, 2, 2, 2],
    [4],
]


def build(directory: Path, rows: type[np.generic]) -> FMIndex:
    with IndexWriter(directory) as writer:
        construct(
            tokens=TOKENS,
            offsets=OFFSETS,
            vocabulary_size=LARGEST + 1,
            wide_threshold=50,
            keep=writer.add,
            progress=lambda *_: None,
            rows=np.dtype(rows),
        )
        writer.finish(
            tokens=len(TOKENS), passages=3, vocabulary_size=LARGEST + 1, wide_threshold=50
        )
    return FMIndex.open(directory, verify=True)


def check(index: FMIndex, *, shift: int) -> None:
    """Every answer equals a scan of the text, its positions moved by ``shift``."""
    lo, hi = np.array([index.interval(key) for key in KEYS]).T
    assert [index.interval(key) for key in KEYS] == list(
        zip(*(a.tolist() for a in index.extend(*_parents(index))), strict=True)
    )
    begin, found = index.locate(lo, hi, [len(key) for key in KEYS])
    next_begin, tokens, counts = index.allowed(lo, hi)
    for i, key in enumerate(KEYS):
        expected = [shift + position for position in positions(TOKENS, key)]
        assert sorted(found[begin[i] : begin[i + 1]].tolist()) == expected
        part = slice(next_begin[i], next_begin[i + 1])
        listed = dict(zip(tokens[part].tolist(), counts[part].tolist(), strict=True))
        assert listed == dict(followers(TOKENS, key))


def _parents(index: FMIndex) -> tuple[np.ndarray, np.ndarray, list[int]]:
    lo, hi = np.array([index.interval(key[:-1]) for key in KEYS]).T
    return lo, hi, [key[-1] for key in KEYS]


@pytest.mark.parametrize("rows", [np.uint32, np.int64])
def test_rows_of_either_width_from_build_to_locate(tmp_path: Path, rows: type[np.generic]) -> None:
    index = build(tmp_path / "index", rows)
    kept = ("occurrences", "samples", "suffix_array", "wide_counts")
    assert {getattr(index.arrays, name).dtype for name in kept} == {np.dtype(rows)}
    assert index.arrays.text.dtype == np.uint32
    assert len(index.arrays.wide_lo) > 1
    check(index, shift=0)


@pytest.mark.parametrize(("shift", "rows"), [(2**31 + 77, np.uint32), (2**32 + 77, np.int64)])
def test_rows_and_positions_far_out(tmp_path: Path, shift: int, rows: type[np.generic]) -> None:
    """As if ``shift`` tokens that no key names came first: holes in files, which take no disk."""
    index = FMIndex(shifted(build(tmp_path / "index", rows).arrays, shift, tmp_path))
    assert (index.n_tokens, index.n_passages) == (shift + 700, 4)
    assert index.interval([LARGEST])[0] > shift
    check(index, shift=shift)
    places = [0, shift - 1, *(shift + np.array([0, 299, 300, 301, 699]))]
    assert index.passage_of(places).tolist() == [0, 0, 1, 1, 2, 3, 3]
    assert index.passage_tokens(2).tolist() == TOKENS[300:301].tolist()


def shifted(arrays: IndexArrays, shift: int, directory: Path) -> IndexArrays:
    """Rows, positions and passages moved behind ``shift`` rows and one passage of that length.

    All new rows belong to the terminator's symbol, which no key can name.
    """

    def hole(name: str, tail: np.ndarray, begin: int) -> Any:
        mapped = np.memmap(directory / name, tail.dtype, "w+", shape=(begin + len(tail),))
        mapped[begin:] = tail
        (directory / name).unlink()  # a mapped file outlives its name
        plain = np.asarray(mapped)
        plain.setflags(write=False)
        return plain

    moved = (arrays.occurrences.astype(np.int64) + shift).astype(arrays.occurrences.dtype)
    occurrences = hole("occurrences", moved, shift)
    sampled = -(-shift >> SAMPLE_SHIFT)  # the first sample that is no hole
    offsets = np.append(0, arrays.passage_offsets + shift)
    hinted = -(-shift >> HINT_SHIFT)
    places = np.append(np.arange(hinted << HINT_SHIFT, shift + 700, 1 << HINT_SHIFT), shift + 699)
    hints = np.searchsorted(offsets, places, side="right") - 1
    first = arrays.first + shift
    first[0] = 0
    changed = {
        "bwt": hole("bwt", arrays.bwt, shift),
        "occurrences": occurrences,
        "samples": hole(
            "samples", occurrences[sampled << SAMPLE_SHIFT :: 1 << SAMPLE_SHIFT], sampled
        ),
        "first": first,
        "suffix_array": hole("suffix_array", arrays.suffix_array, shift),
        "text": hole("text", arrays.text, shift),
        "passage_offsets": offsets,
        "passage_hint": hole("passage_hint", hints.astype(np.int32), hinted),
        "listed_passages": arrays.listed_passages + 1,
        "wide_lo": np.where(arrays.wide_lo > 0, arrays.wide_lo + shift, 0),
        "wide_hi": arrays.wide_hi + shift,
    }
    for array in changed.values():
        array.setflags(write=False)  # numba compiles again for writable arrays
    return arrays._replace(**changed)
