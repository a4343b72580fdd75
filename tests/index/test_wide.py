from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from naive_index import World, followers, worlds

from ltrgr.index import wide
from ltrgr.index.kernels import allowed_bound, find_wide


def corpus(tokens: list[int], *, wide_threshold: int) -> World:
    return World(np.array(tokens), np.array([0, len(tokens)]), 10, [], wide_threshold)


def listed(world: World) -> dict[tuple[int, int], dict[int, int]]:
    arrays = world.build().arrays
    return {
        (int(arrays.wide_lo[i]), int(arrays.wide_hi[i])): dict(
            zip(
                arrays.wide_tokens[arrays.wide_offsets[i] : arrays.wide_offsets[i + 1]].tolist(),
                arrays.wide_counts[arrays.wide_offsets[i] : arrays.wide_offsets[i + 1]].tolist(),
                strict=True,
            )
        )
        for i in range(len(arrays.wide_lo))
    }


def test_lists_by_hand() -> None:
    # 1 2 1 2 1 3: six tokens, seven rows; wide are the root and "1" (three rows), not "2" (two).
    # Rows of the reversed text 3 1 2 1 2 1 $, sorted by suffix:
    # $ | 1$ | 121.. 12121$.. -> "1" holds rows 1 to 3.
    world = corpus([1, 2, 1, 2, 1, 3], wide_threshold=2)
    assert listed(world) == {(0, 7): {1: 3, 2: 2, 3: 1}, (1, 4): {2: 2, 3: 1}}


def test_nothing_is_wide_at_the_threshold() -> None:
    assert listed(corpus([1, 2, 3], wide_threshold=4)) == {}
    assert set(listed(corpus([1, 2, 3], wide_threshold=3))) == {(0, 4)}


def test_keys_that_share_an_interval_share_a_list() -> None:
    # "2" only ever follows "1": one interval for both keys
    world = corpus([1, 2] * 5, wide_threshold=3)
    index = world.build()
    assert index.interval([2]) == index.interval([1, 2])
    intervals = list(zip(index.arrays.wide_lo.tolist(), index.arrays.wide_hi.tolist(), strict=True))
    assert len(intervals) == len(set(intervals))
    assert index.interval([2]) in intervals


@settings(max_examples=40, deadline=None)
@given(worlds(vocabulary_size=500))
def test_every_wide_key_is_listed(world: World) -> None:
    index = world.build()
    for key in world.keys:
        lo, hi = index.interval(key)
        found = find_wide(index.arrays, lo, hi)
        assert (found >= 0) == (hi - lo > world.wide_threshold)
        if found >= 0:
            assert allowed_bound(index.arrays, lo, hi) == len(followers(world.tokens, key))


def test_one_repeated_token_is_listed_up_to_the_last_level(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Deeper keys are scanned, and answer alike."""
    monkeypatch.setattr(wide, "LEVELS", 5)
    index = corpus([7] * 300, wide_threshold=10).build()
    assert len(index.arrays.wide_lo) == 5
    for length in (4, 5, 100):
        lo, hi = index.interval([7] * length)
        _, tokens, counts = index.allowed([lo], [hi])
        assert (tokens.tolist(), counts.tolist()) == ([7], [300 - length])
