"""The trie against a scan of all docids, and against the FM-index over the same corpus."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba.core.errors import TypingError

from docid_worlds import BEGIN, CLOSE, END, SYMBOL, DocidWorld, Ids, docid_worlds
from ltrgr.errors import IndexFormatError
from ltrgr.index import any_index
from ltrgr.index.shards import Shards
from ltrgr.index.trie import IdentifierTrie

A, B = SYMBOL, SYMBOL + 1
BY_HAND = DocidWorld(
    codes=[[B], [A, B], [A], [A, A]], before=[[], [], [A], []], after=[[A], [B, B], [], []], size=9
)


def rows_of(index: Any, key: Ids) -> tuple[int, int]:
    lo, hi = index.interval(key)
    return int(lo[0]), int(hi[0])


def answers(index: Any, key: Ids) -> tuple[list[int], list[int]]:
    """Of the compiled steps: the tokens that follow, and the passages of the rows; both sorted."""
    (arrays,), (lo, hi) = index.arrays, rows_of(index, key)
    stamp, out = np.zeros(index.vocabulary_size + 1, np.int64), np.zeros(index.vocabulary_size)
    out = out.astype(np.int32)
    n = any_index.allowed(arrays, lo, hi, len(key), stamp, 1, out)
    passages = [any_index.passage_of_row(arrays, row, len(key)) for row in range(lo, hi)]
    return sorted(out[:n].tolist()), sorted(passages)


def positions(index: Any, key: Ids) -> list[int]:
    (arrays,), (lo, hi) = index.arrays, rows_of(index, key)
    return sorted(any_index.position_of_row(arrays, row, len(key)) for row in range(lo, hi))


def test_the_arrays_by_hand() -> None:
    """Sorted, with END = 6 before A = 7: <A>, <A A>, <A B>, <B>, of the passages 2, 3, 1, 0."""
    arrays = BY_HAND.trie().arrays[0]
    assert arrays.level_offsets.tolist() == [0, 1, 3, 7, 9]
    assert arrays.token.tolist() == [BEGIN, A, B, END, A, B, END, END, END]
    assert arrays.first_row.tolist() == [0, 0, 3, 0, 1, 2, 3, 1, 2]
    assert arrays.passage.tolist() == [2, 3, 1, 0]
    assert arrays.row.tolist() == [3, 2, 0, 1]
    # <B> A close | <A B> B B close | A <A> close | <A A> close
    assert arrays.begin.tolist() == [0, 5, 13, 17]


def test_counts_and_followers_by_hand() -> None:
    trie = BY_HAND.trie()
    assert rows_of(trie, []) == (0, 4)
    assert rows_of(trie, [BEGIN, A]) == (0, 3)
    assert answers(trie, [BEGIN, A]) == ([END, A, B], [1, 2, 3])
    assert answers(trie, [BEGIN, A, END]) == ([], [2])
    assert trie.token_counts(size=9).tolist() == [0, 0, 0, 0, 0, 4, 0, 0, 0]
    for unknown in ([A], [BEGIN, B, B], [BEGIN, A, END, A], [BEGIN, 8000], [BEGIN, -1]):
        assert len(set(rows_of(trie, unknown))) == 1


@settings(max_examples=60, deadline=None)
@given(docid_worlds(), st.data())
def test_answers_equal_a_scan(world: DocidWorld, data: st.DataObject) -> None:
    trie = world.trie()
    assert (trie.n_passages, trie.n_tokens) == (len(world.codes), len(world.tokens))
    token = st.sampled_from([BEGIN, END, CLOSE, *sorted(set(world.tokens.tolist()))])
    invented = data.draw(st.lists(st.lists(token, max_size=5), max_size=5))
    for key in [*world.prefixes(), *invented]:
        holders = world.holders(key)
        follow = {world.docids[p][len(key)] for p in holders if len(world.docids[p]) > len(key)}
        assert answers(trie, key) == (sorted(follow), holders)
        assert positions(trie, key) == sorted(world.begins[holders].tolist())
        lo, hi = rows_of(trie, key)
        own = [any_index.row_of_passage(trie.arrays[0], p) for p in range(len(world.codes))]
        assert [p for p, row in enumerate(own) if lo <= row < hi] == holders


@settings(max_examples=40, deadline=None)
@given(docid_worlds(size=40) | docid_worlds(size=70_000))
def test_answers_equal_the_fm_index(world: DocidWorld) -> None:
    """Of 16 and of 32 bits a token. A whole docid ends the search; the corpus goes on."""
    trie, fm = world.trie(), world.fm()
    keys = world.prefixes()
    for key in keys:
        follow, passages = answers(fm, key)
        assert answers(trie, key) == ([] if key[-1] == END else follow, passages)
        assert positions(trie, key) == positions(fm, key)
    lengths, flat = np.cumsum([0, *map(len, keys)]), [token for key in keys for token in key]
    counts = [np.diff(index.intervals(lengths, flat), axis=0)[0] for index in (trie, fm)]
    np.testing.assert_array_equal(*counts)
    for token in {*flat, 0, world.size - 1}:
        grown = [extended(index, keys, token) for index in (trie, fm)]
        inner = [key[-1] != END for key in keys]
        np.testing.assert_array_equal(grown[0][inner], grown[1][inner])
        assert not grown[0][np.logical_not(inner)].any()


def extended(index: IdentifierTrie | Shards, keys: list[Ids], token: int) -> np.ndarray:
    """[n, 1] the count of each key with one more token, by `extend` from the key's rows."""
    found = []
    for key in keys:
        lo, hi = index.interval(key)
        lo, hi = index.extend(lo[None], hi[None], [token], depth=len(key))
        found.append(hi[0] - lo[0])
    return np.array(found)


def build(docids: list[Ids], tmp_path: Path, *, size: int = 9) -> IdentifierTrie:
    ends = np.cumsum([len(docid) for docid in docids])
    return IdentifierTrie.build(
        tokens=np.array([token for docid in docids for token in docid]),
        begins=np.array([0, *ends[:-1]]),
        ends=ends,
        vocabulary_size=size,
        directory=tmp_path / "trie",
    )


@pytest.mark.parametrize(
    ("docids", "message"),
    [
        ([[5, 7], [5, 8], [5, 7]], "passage 0 is equal to, or the begin of, that of passage 2: .*"),
        ([[5, 7, 8], [5, 7]], "passage 1 is equal to, or the begin of, that of passage 0: the do"),
        ([[5, 7], [5, 8, 8], [5, 7, 6, 6, 6]], "passage 0 is .* passage 2: .*correct their view"),
        ([[5, 7], []], "the identifier of passage 1 runs from 2 to 2: expected at least one token"),
        ([[5, 9]], "token id 9 in an identifier: expected ids below 9; give `ltrgr index` the"),
        ([[5, -2]], "token id -2 in an identifier: expected 0 or more"),
    ],
)
def test_identifiers_that_no_trie_can_hold(docids: list[Ids], message: str, tmp_path: Path) -> None:
    before = build([[5, 7]], tmp_path)
    with pytest.raises(IndexFormatError, match=message):
        build(docids, tmp_path)
    kept = IdentifierTrie.open(tmp_path / "trie", verify=True)  # the old one is left as it is
    assert kept.arrays[0].token.tolist() == before.arrays[0].token.tolist() == [5, 7]


def test_no_identifier_at_all(tmp_path: Path) -> None:
    with pytest.raises(IndexFormatError, match=r"0 begins and 0 ends .* at least one"):
        IdentifierTrie.build(
            tokens=np.array([1]), begins=[], ends=[], vocabulary_size=9, directory=tmp_path / "trie"
        )


def test_arrays_without_kernels_are_named() -> None:
    with pytest.raises(TypingError, match=r"no kernels for tuple: expected one of .*KERNELS"):
        any_index.extend((), 0, 1, 2, 0)
