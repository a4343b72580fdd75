"""Two small corpora whose indexes have files of the same sizes, so that sizes tell nothing."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ltrgr.index.fm_index import FMIndex

VOCABULARY = 9
OFFSETS = np.array([0, 1, 8, 15, 60])
OLD = np.tile(np.arange(6, dtype=np.int32), 10)
NEW = (OLD[::-1] + 2).astype(np.int32)
KEYS = [[2], [2, 3], [3, 2], [5, 0], [7, 6], [4, 3, 2]]


def build(directory: Path, tokens: np.ndarray = OLD, **options: Any) -> FMIndex:
    return FMIndex.build(
        tokens=tokens,
        offsets=OFFSETS,
        vocabulary_size=VOCABULARY,
        directory=directory,
        wide_threshold=5,
        **options,
    )


def by_scan(text: np.ndarray) -> list[object]:
    """Where each key begins, what follows it how often, and the passages."""
    tokens, found = text.tolist(), []
    for key in KEYS:
        places = [i for i in range(len(tokens)) if tokens[i : i + len(key)] == key]
        after = [tokens[i + len(key)] for i in places if i + len(key) < len(tokens)]
        holders = [max(p for p in range(4) if OFFSETS[p] <= i) for i in places]
        found.append([places, {t: after.count(t) for t in sorted(set(after))}, holders])
    return [found, [tokens[begin:end] for begin, end in pairwise(OFFSETS)]]


def by_index(index: FMIndex) -> list[object]:
    """The same, by the index."""
    found = []
    for key in KEYS:
        lo, hi = index.interval(key)
        places = np.sort(index.locate([lo], [hi], [len(key)])[1])
        _, after, counts = index.allowed([lo], [hi])
        follow = dict(zip(after.tolist(), counts.tolist(), strict=True))
        found.append([places.tolist(), follow, index.passage_of(places).tolist()])
    return [found, [index.passage_tokens(p).tolist() for p in range(index.n_passages)]]
