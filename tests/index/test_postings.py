from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltrgr.index import postings
from ltrgr.index.fm_index import FMIndex

corpora = st.lists(st.lists(st.integers(0, 6), min_size=1, max_size=9), min_size=1, max_size=9)


@given(corpora, st.integers(1, 6))
def test_the_lists_are_those_of_a_scan(passages: list[list[int]], at_most: int) -> None:
    text = np.concatenate(passages).astype(np.uint16)
    bounds = np.cumsum([0, *map(len, passages)])
    counts = np.bincount(text, minlength=8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(postings, "LISTED", at_most)
        offsets, found = postings.listed_passages(
            text=text, passage_offsets=bounds, first=np.append(0, 1 + np.append(0, counts.cumsum()))
        )
    assert len(offsets) == 9
    for token in range(8):
        holders = [number for number, passage in enumerate(passages) if token in passage]
        expected = holders if counts[token] <= at_most else []
        assert found[offsets[token] : offsets[token + 1]].tolist() == expected


def test_an_index_lists_its_rare_tokens(tmp_path: Path) -> None:
    tokens = np.array([1, 2, 1, 3, 3, 3, 2, 1] + [0] * (postings.LISTED + 1))
    index = FMIndex.build(
        tokens=tokens,
        offsets=np.array([0, 3, 6, len(tokens)]),
        vocabulary_size=5,
        directory=tmp_path / "index",
    )
    assert index.arrays.listed_offsets.tolist() == [0, 0, 2, 4, 5, 5]
    assert index.arrays.listed_passages.tolist() == [0, 2, 0, 2, 1]
