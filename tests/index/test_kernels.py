"""The single steps, called as other rooms call them: from a compiled function of their own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_index import World, followers
from numba import njit

from ltrgr.index.fm_index import FMIndex
from ltrgr.index.kernels import (
    count_allowed,
    extend_one,
    fill_allowed,
    locate_into,
    lower_bound,
    passage_of_position,
)

RANDOM = np.random.default_rng(3)
TEXT = RANDOM.integers(0, 5, 2_000).astype(np.int32)
WORLD = World(TEXT, np.array([0, 700, 1_999, 2_000]), 5, [], 300)


@pytest.fixture(scope="module")
def index() -> FMIndex:
    return WORLD.build()


@njit
def walk(arrays, key):  # type: ignore[no-untyped-def]
    lo, hi = np.int64(0), np.int64(arrays.bwt.size)
    for token in key:
        lo, hi = extend_one(arrays, lo, hi, token)
    return lo, hi


@njit
def fill_all(arrays, lo, hi, stamp, out):  # type: ignore[no-untyped-def]
    sizes = np.zeros(lo.size, np.int64)
    for i in range(lo.size):
        sizes[i] = fill_allowed(arrays, lo[i], hi[i], stamp, i + 1, out[i])
    return sizes


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_lower_bound_in_any_part_of_a_long_list(data: st.DataObject) -> None:
    steps = data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=400))
    rows = np.cumsum(steps).astype(np.uint32)
    left = data.draw(st.integers(0, len(rows)))
    right = data.draw(st.integers(left, len(rows)))
    row = data.draw(st.integers(0, int(rows[-1]) + 1))
    expected = left + np.searchsorted(rows[left:right], row)
    assert lower_bound(rows, rows[::64].copy(), left, right, row) == expected


def test_an_extension_counts_in_the_transform(index: FMIndex) -> None:
    bwt = index.arrays.bwt
    for token in range(5):
        for row in (0, 1, 63, 64, 65, 1_000, 2_001):
            lo, hi = extend_one(index.arrays, 0, row, token)
            assert hi - lo == np.count_nonzero(bwt[:row] == token + 1)


def test_walk_equals_interval(index: FMIndex) -> None:
    for start in range(0, 1_900, 97):
        key = TEXT[start : start + 4]
        assert walk(index.arrays, key) == index.interval(key)


def test_one_stamp_serves_many_intervals(index: FMIndex) -> None:
    """Wide (listed) and narrow (scanned) ones, one before the text's end, and an empty one."""
    keys = [[], [0], [1], [0, 1], [4, 4], [0, 1, 2, 3], TEXT[-2:].tolist(), [4] * 9]
    lo, hi = index.intervals(np.cumsum([0, *map(len, keys)]), [t for key in keys for t in key])
    stamp, out = np.zeros(6, np.int64), np.full((len(keys), 7), -1, np.int32)
    sizes = fill_all(index.arrays, lo, hi, stamp, out)
    for i, key in enumerate(keys):
        assert sorted(out[i, : sizes[i]].tolist()) == sorted(followers(TEXT, key))
        assert (out[i, sizes[i] :] == -1).all()


def test_counting_leaves_the_tally_clean(index: FMIndex) -> None:
    tally, tokens, counts = np.zeros(6, int), np.empty(5, np.int32), np.empty(5, int)
    key = [int(TEXT[-1])]  # one of its rows is followed by the terminator
    n = count_allowed(index.arrays, *index.interval(key), tally, tokens, counts)
    assert dict(zip(tokens[:n].tolist(), counts[:n].tolist(), strict=True)) == followers(TEXT, key)
    assert not tally.any()


def test_locate_writes_only_its_part(index: FMIndex) -> None:
    key = TEXT[10:16]
    lo, hi = index.interval(key)
    out = np.full(hi - lo + 2, -1)
    locate_into(index.arrays, lo, hi, 6, out, 1)
    assert (out[0], out[-1]) == (-1, -1)
    assert 10 in out
    assert all((TEXT[p : p + 6] == key).all() for p in out[1:-1])


def test_passage_borders(index: FMIndex) -> None:
    at = [0, 699, 700, 1_998, 1_999]
    assert [passage_of_position(index.arrays, p) for p in at] == [0, 0, 1, 1, 2]


def test_a_rotten_transform_yields_no_token_outside_the_vocabulary(index: FMIndex) -> None:
    key = [0, 1]
    lo, hi = index.interval(key)
    bwt = index.arrays.bwt.copy()
    bwt[lo + 1], bwt[hi - 1] = 6, 65_535  # symbols go up to V = 5
    honest = [*bwt[lo : lo + 1], *bwt[lo + 2 : hi - 1]]
    rotten = index.arrays._replace(bwt=bwt)
    expected = {int(symbol) - 1 for symbol in honest if symbol}
    stamp, out = np.zeros(6, np.int64), np.empty((1, 7), np.int32)
    (n,) = fill_all(rotten, np.array([lo]), np.array([hi]), stamp, out)
    assert set(out[0, :n].tolist()) == expected
    tally, tokens, counts = np.zeros(6, int), np.empty(5, np.int32), np.empty(5, int)
    n = count_allowed(rotten, lo, hi, tally, tokens, counts)
    assert set(tokens[:n].tolist()) == expected
    assert counts[:n].sum() == sum(symbol > 0 for symbol in honest)
    assert not tally.any()


@pytest.mark.parametrize("hint", [-7, 3, 2**31 - 1])
def test_a_rotten_hint_or_row_yields_a_passage_of_the_index(index: FMIndex, hint: int) -> None:
    rotten = index.arrays._replace(passage_hint=np.full_like(index.arrays.passage_hint, hint))
    assert [passage_of_position(rotten, at) for at in (0, 700, 1_999)] == [0, 1, 2]
    assert passage_of_position(index.arrays, -(2**31)) == 0
