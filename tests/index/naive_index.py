"""The reference: what an index answers, found by scanning the whole text."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from ltrgr.index.fm_index import FMIndex


class World(NamedTuple):
    """A small corpus with the keys to ask it for."""

    tokens: np.ndarray
    offsets: np.ndarray
    vocabulary_size: int
    keys: list[list[int]]
    wide_threshold: int

    def build(self, directory: str | Path | None = None) -> FMIndex:
        if directory is not None:
            return self._build(directory)
        with TemporaryDirectory() as parent:  # mapped files outlive their names
            return self._build(Path(parent) / "index")

    def _build(self, directory: str | Path) -> FMIndex:
        return FMIndex.build(
            tokens=self.tokens,
            offsets=self.offsets,
            vocabulary_size=self.vocabulary_size,
            directory=directory,
            wide_threshold=self.wide_threshold,
        )


def positions(text: np.ndarray, key: list[int]) -> list[int]:
    """Where the key begins, by comparing it at every place."""
    tokens = text.tolist()
    return [i for i in range(len(tokens) - len(key) + 1) if tokens[i : i + len(key)] == key]


def followers(text: np.ndarray, key: list[int]) -> Counter:
    """How often each token follows the key."""
    ends = [i + len(key) for i in positions(text, key)]
    return Counter(int(text[end]) for end in ends if end < len(text))


@st.composite
def worlds(draw: st.DrawFn, *, vocabulary_size: int) -> World:
    """Few distinct ids, the two ends of the vocabulary among them, in repeated passages.

    Repeats make occurrence lists longer than a sample block (64), texts longer than a hint block
    (128) and intervals wider than the threshold.
    """
    middle = draw(st.integers(1, vocabulary_size - 2))
    token = st.sampled_from([0, vocabulary_size - 1, middle, vocabulary_size // 2])
    passages = draw(st.lists(st.lists(token, min_size=1, max_size=9), min_size=1, max_size=8))
    passages *= draw(st.sampled_from([1, 1, 2, 30]))
    tokens = np.array([t for passage in passages for t in passage], np.int32)
    starts = st.tuples(st.integers(0, len(tokens) - 1), st.integers(1, 7))
    found = [tokens[i : i + k].tolist() for i, k in draw(st.lists(starts, max_size=6))]
    invented = draw(st.lists(st.lists(token, max_size=4), max_size=4))
    return World(
        tokens=tokens,
        offsets=np.cumsum([0, *map(len, passages)]),
        vocabulary_size=vocabulary_size,
        keys=[*found, *invented],
        wide_threshold=draw(st.sampled_from([1, 5, 40, 4096])),
    )
