"""Nested keys share one decoder sequence: against brute force."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ltrgr.data.sequences import share_prefixes

Keys = list[tuple[int, tuple[int, ...]]]
"""(group, tokens)"""


def share(keys: Keys) -> tuple[np.ndarray, ...]:
    ends = np.cumsum([len(tokens) for _, tokens in keys])
    return share_prefixes(
        tokens=np.array([t for _, tokens in keys for t in tokens], np.int32),
        start=ends - [len(tokens) for _, tokens in keys],
        stop=ends,
        group=np.array([group for group, _ in keys]),
    )


def test_by_hand() -> None:
    keys = [(0, (7,)), (1, (7, 8)), (0, (7, 8)), (0, (8,)), (0, (7, 9, 9)), (1, (7,))]
    labels, sequence, length, group = share(keys)
    assert labels.tolist() == [[7, 8, -100], [7, 9, 9], [8, -100, -100], [7, 8, -100]]
    assert group.tolist() == [0, 0, 0, 1]
    assert sequence.tolist()[1:] == [3, 0, 2, 1, 3]
    assert sequence[0] in (0, 1)  # (7) begins both
    assert length.tolist() == [1, 2, 2, 1, 3, 1]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.lists(st.integers(0, 2), min_size=1, max_size=4)),
        min_size=1,
        max_size=25,
    )
)
def test_against_brute_force(drawn: list[tuple[int, list[int]]]) -> None:
    keys: Keys = [(group, tuple(tokens)) for group, tokens in drawn]
    labels, sequence, length, group = share(keys)
    maximal = {
        (g, t)
        for g, t in keys
        if not any(g == h and len(u) > len(t) and u[: len(t)] == t for h, u in keys)
    }
    rows = [
        (int(g), tuple(int(t) for t in row if t != -100))
        for g, row in zip(group, labels, strict=True)
    ]
    assert len(rows) == len(maximal)
    assert set(rows) == maximal
    for (owner, tokens), place, n in zip(keys, sequence, length, strict=True):
        assert n == len(tokens)
        assert rows[place][0] == owner
        assert rows[place][1][:n] == tokens
    for row in labels.tolist():
        assert row == sorted(row, key=lambda token: token == -100)  # padding only at the end
