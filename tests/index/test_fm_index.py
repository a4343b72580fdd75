from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from naive_index import World, followers, positions, worlds

from ltrgr.errors import IndexFormatError
from ltrgr.index import batch, fm_index
from ltrgr.index.fm_index import FMIndex

BELOW, ABOVE = 50_000, 70_000
# Two passages, "1 2 1 3" and "1 2 4", in a vocabulary of six.
SMALL = World(np.array([1, 2, 1, 3, 1, 2, 4], np.int32), np.array([0, 4, 7]), 6, [], 4096)


@pytest.fixture(scope="module")
def small() -> FMIndex:
    return SMALL.build()


def test_sizes(small: FMIndex) -> None:
    assert (small.n_tokens, small.n_passages, small.vocabulary_size) == (7, 2, 6)
    assert small.root == (0, 8)


@pytest.mark.parametrize(
    ("key", "count"), [([1], 3), ([1, 2], 2), ([1, 2, 1], 1), ([2, 2], 0), ([5], 0), ([0], 0)]
)
def test_counts_by_hand(small: FMIndex, key: list[int], count: int) -> None:
    lo, hi = small.interval(key)
    assert hi - lo == count


@pytest.mark.parametrize("token", [-1, 6, 2**31 - 1])
def test_a_token_outside_the_vocabulary_occurs_nowhere(small: FMIndex, token: int) -> None:
    lo, hi = small.interval([1, token])
    assert lo == hi
    assert small.extend([lo], [hi], [1])[0] == small.extend([lo], [hi], [1])[1]


def test_allowed_by_hand(small: FMIndex) -> None:
    lo, hi = small.intervals([0, 0, 1, 2, 3], [1, 3, 4])  # keys: empty, 1, 3, 4
    offsets, tokens, counts = small.allowed(lo, hi)
    assert offsets.tolist() == [0, 4, 6, 7, 7]  # nothing follows the last token of the text
    assert tokens.tolist() == [1, 2, 3, 4, 2, 3, 1]
    assert counts.tolist() == [3, 2, 1, 1, 2, 1, 1]


def test_locate_by_hand(small: FMIndex) -> None:
    lo, hi = small.intervals([0, 2, 3, 4], [1, 2, 1, 5])
    offsets, found = small.locate(lo, hi, [2, 1, 1])
    assert offsets.tolist() == [0, 2, 5, 5]
    assert sorted(found[:2].tolist()) == [0, 4]
    assert sorted(found[2:].tolist()) == [0, 2, 4]


def test_passages_by_hand(small: FMIndex) -> None:
    assert small.passage_of([0, 3, 4, 6]).tolist() == [0, 0, 1, 1]
    assert small.passage_tokens(0).tolist() == [1, 2, 1, 3]
    assert small.passage_tokens(1).tolist() == [1, 2, 4]
    assert small.passage_tokens(1).dtype == np.int32


def test_what_lies_outside_the_corpus_is_refused(small: FMIndex) -> None:
    for position in (-1, 7):
        with pytest.raises(IndexError, match="expected 0 to 6"):
            small.passage_of([0, position])
    for passage in (-1, 2):
        with pytest.raises(IndexError, match="expected 0 to 1"):
            small.passage_tokens(passage)


def check_against_a_scan(world: World) -> None:
    index = world.build()
    offsets = np.cumsum([0, *map(len, world.keys)])
    flat = np.array([t for key in world.keys for t in key], np.int32)
    lo, hi = index.intervals(offsets, flat)
    expected = [positions(world.tokens, key) if key else None for key in world.keys]
    rows = index.n_tokens + 1  # of the empty key
    assert (hi - lo).tolist() == [rows if e is None else len(e) for e in expected]
    begin, found = index.locate(lo, hi, np.diff(offsets))
    passages = index.passage_of(found[found < index.n_tokens])
    owner = np.repeat(np.arange(index.n_passages), np.diff(world.offsets))
    assert passages.tolist() == owner[found[found < index.n_tokens]].tolist()
    allowed_at, allowed, counts = index.allowed(lo, hi)
    for i, key in enumerate(world.keys):
        if key:
            assert sorted(found[begin[i] : begin[i + 1]].tolist()) == expected[i]
        part = slice(allowed_at[i], allowed_at[i + 1])
        pairs = list(zip(allowed[part].tolist(), counts[part].tolist(), strict=True))
        assert pairs == sorted(followers(world.tokens, key).items())
        check_extensions(index, (int(lo[i]), int(hi[i])), pairs)
    for i in range(index.n_passages):
        assert (
            index.passage_tokens(i).tolist()
            == world.tokens[world.offsets[i] : world.offsets[i + 1]].tolist()
        )


def check_extensions(
    index: FMIndex, interval: tuple[int, int], pairs: list[tuple[int, int]]
) -> None:
    """Extending by each allowed token gives as many rows as that token was counted."""
    n = len(pairs)
    lo, hi = index.extend([interval[0]] * n, [interval[1]] * n, [token for token, _ in pairs])
    assert (hi - lo).tolist() == [count for _, count in pairs]


@settings(max_examples=70, deadline=None)
@given(worlds(vocabulary_size=BELOW))
def test_below_65536_equals_a_scan(world: World) -> None:
    check_against_a_scan(world)


@settings(max_examples=70, deadline=None)
@given(worlds(vocabulary_size=ABOVE))
def test_above_65536_equals_a_scan(world: World) -> None:
    check_against_a_scan(world)


@pytest.mark.parametrize(("size", "dtype"), [(65_535, np.uint16), (65_536, np.uint32)])
def test_the_terminator_takes_one_of_the_65536_symbols(size: int, dtype: type) -> None:
    last = size - 1
    world = World(np.array([last, 0, last, last]), np.array([0, 4]), size, [], 4096)
    index = world.build()
    assert index.arrays.bwt.dtype == dtype
    assert index.interval([last])[1] - index.interval([last])[0] == 3
    assert index.allowed(*([row] for row in index.interval([last])))[1].tolist() == [0, last]


def test_a_text_of_realistic_shape() -> None:
    """Long occurrence lists and many hint blocks, against numpy's own search."""
    random = np.random.default_rng(0)
    tokens = (random.zipf(1.3, 30_000) % 997).astype(np.int32)
    offsets = np.concatenate(
        [[0], np.sort(random.choice(29_999, 500, replace=False)) + 1, [30_000]]
    )
    index = World(tokens, offsets, 1_000, [], 4096).build()
    everything = np.arange(30_000)
    expected = np.searchsorted(offsets, everything, side="right") - 1
    assert np.array_equal(index.passage_of(everything), expected)
    lo, hi = index.extend(np.zeros(1000), np.full(1000, 30_001), np.arange(1000))
    assert np.array_equal(hi - lo, np.bincount(tokens, minlength=1000))
    starts = random.integers(0, 29_990, 200)
    keys = tokens[starts[:, None] + np.arange(3)]
    lo, hi = index.intervals(np.arange(201) * 3, keys.ravel())
    windows = np.lib.stride_tricks.sliding_window_view(tokens, 3)
    begin, found = index.locate(lo, hi, np.full(200, 3))
    for i, key in enumerate(keys):
        expected = np.flatnonzero((windows == key).all(axis=1))
        assert np.array_equal(np.sort(found[begin[i] : begin[i + 1]]), expected)


def test_rows_of_int64_answer_alike(small: FMIndex) -> None:
    """What an index of more than 2^32 rows holds, at a size that can be tested."""
    arrays = small.arrays
    wide = ("occurrences", "samples", "suffix_array", "wide_counts")
    big = FMIndex(arrays._replace(**{name: getattr(arrays, name).astype(int) for name in wide}))
    assert big.interval([1, 2]) == small.interval([1, 2])
    lo, hi = np.array([big.interval([1])]).T
    assert [a.tolist() for a in big.allowed(lo, hi)] == [a.tolist() for a in small.allowed(lo, hi)]
    assert sorted(big.locate(lo, hi, [1])[1].tolist()) == [0, 2, 4]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tokens": np.array([1, 2, 1, 6, 1, 2, 4])}, r"token id 6 at position 3.*< 6;"),
        ({"tokens": np.array([1, 2, 1, 3, -2, 2, 4])}, r"token id -2 at position 4"),
        ({"tokens": np.ones(7)}, "expected one-dimensional integer arrays"),
        ({"tokens": np.empty(0, int)}, "the corpus has no tokens"),
        ({"vocabulary_size": 0}, "vocabulary_size is 0"),
        ({"offsets": np.array([0, 4, 4, 7])}, r"passage 1 runs from 4 to 4.*at least one token"),
        ({"offsets": np.array([0, 5, 4, 7])}, "passage 1 runs from 5 to 4"),
        ({"offsets": np.array([0, 4])}, "passage offsets are from 0 to 4: expected .* from 0 to 7"),
        ({"offsets": np.array([1, 7])}, "passage offsets are from 1 to 7"),
        ({"offsets": np.empty(0, int)}, "passage offsets are empty"),
    ],
)
def test_a_wrong_corpus_is_refused(tmp_path: Path, change: dict, message: str) -> None:
    with pytest.raises(IndexFormatError, match=message):
        SMALL._replace(**change).build(tmp_path / "index")
    assert list(tmp_path.iterdir()) == []


def test_progress_names_every_step(tmp_path: Path) -> None:
    seen: list[tuple[str, float]] = []
    FMIndex.build(
        tokens=SMALL.tokens,
        offsets=SMALL.offsets,
        vocabulary_size=6,
        directory=tmp_path / "index",
        progress=lambda step, share: seen.append((step, share)),
    )
    shares = [share for _, share in seen]
    assert [seen[0], seen[-1]] == [("suffix array", 0.0), ("done", 1.0)]
    assert shares == sorted(shares)


def test_compilation_is_announced_only_where_nothing_is_cached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Kernel:
        signatures: tuple[str, ...] = ()

        class stats:  # noqa: N801 (numba's name)
            cache_path = str(tmp_path)

    Kernel.__module__, Kernel.__name__ = batch.__name__, "extend_many"
    monkeypatch.setattr(batch, "extend_many", Kernel)
    with caplog.at_level(logging.INFO, logger="ltrgr"):
        fm_index.announce_compilation()
        (tmp_path / "batch.extend_many-19.py311.nbi").touch()
        fm_index.announce_compilation()
    assert [r.message for r in caplog.records] == ["compiling index kernels (first run only)..."]
