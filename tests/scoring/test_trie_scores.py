"""Passage scores over a trie of docids: the rank lists of the FM-index, bit for bit."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judge import Rule
from passage_cases import csr
from passage_cases import run as scores
from small_world import make_keys

from docid_worlds import BEGIN, CLOSE, END, SYMBOL, DocidWorld, docid_worlds
from ltrgr.scoring.rank_lists import RankLists
from ltrgr.scoring.scoring_settings import ScoringSettings
from ltrgr.scoring.search.passages import score_passages

A, B = SYMBOL, SYMBOL + 1
BY_HAND = DocidWorld([[A, A], [A, B], [B]], [[], [], [B]], [[B], [], []], 9)
# <A A> B close | <A B> close | B <B> close: the docids begin at 0, 6 and 12.


def run(index: Any, questions: Any, weights: Any, rule: Rule, *, k: int, ranges: Any) -> RankLists:
    markers = {CLOSE, BEGIN, END}
    return scores(index, questions, weights, rule, k=k, excluded=csr(ranges), markers=markers)


def test_by_hand() -> None:
    keys = [[BEGIN, A], [BEGIN, A, B, END], [BEGIN, B, END]]
    lists = run(BY_HAND.trie(), [keys], [1.0, 2.0, 4.0], Rule(), k=4, ranges=[[]])
    # Passage 1: the whole docid takes the places of <A. Passage 0 holds only that prefix.
    assert lists.passage.tolist() == [[2, 1, 0, -1]]
    assert lists.score[0, :3].tolist() == [4, 2, 1]
    assert lists.key[0, :3, :2].tolist() == [[2, -1], [1, -1], [0, -1]]
    assert lists.position[0, :3, 0].tolist() == [12, 6, 0]


def test_an_excluded_docid_does_not_count() -> None:
    keys = [[BEGIN, A, A, END], [BEGIN, B, END], [BEGIN, A, B]]
    ranges = [[(13, 14), (9, 10)]]  # inside <B>; behind <A B, which ends at 8
    lists = run(BY_HAND.trie(), [keys], [1.0, 2.0, 4.0], Rule(), k=4, ranges=ranges)
    assert lists.passage.tolist() == [[1, 0, -1, -1]]


@st.composite
def cases(draw: st.DrawFn) -> Any:
    world = draw(docid_worlds())
    key = st.sampled_from(world.prefixes())
    strange = st.sampled_from([[BEGIN, END], [BEGIN, CLOSE, SYMBOL]])
    questions = draw(st.lists(st.lists(key | strange, max_size=12), min_size=1, max_size=3))
    n = sum(map(len, questions))
    weights = draw(st.lists(st.sampled_from([0.0, 0.5, 1.3, 2.0, 7.1]), min_size=n, max_size=n))
    rule = Rule(
        coverage=draw(st.sampled_from([0.0, 0.8, 1.0])),
        overlap=draw(st.booleans()),
        most=draw(st.sampled_from([None, 1, 3, 40])),
        max_candidate_count=draw(st.sampled_from([1, 3, 1500])),
        candidates=draw(st.sampled_from([1, 3, 1500])),
    )
    place = st.integers(0, len(world.tokens))
    span = st.tuples(place, st.integers(0, 4)).map(lambda s: (s[0], s[0] + s[1]))
    ranges = [draw(st.lists(span, max_size=2)) for _ in questions]
    return world, questions, weights, rule, draw(st.sampled_from([1, 3, 10])), ranges


@settings(max_examples=100, deadline=None)
@given(cases())
def test_the_lists_are_the_same(case: Any) -> None:
    world, questions, weights, rule, k, ranges = case
    ours, theirs = (
        run(index, questions, weights, rule, k=k, ranges=ranges)
        for index in (world.trie(), world.fm())
    )
    for field in fields(RankLists):
        mine, other = getattr(ours, field.name), getattr(theirs, field.name)
        assert mine.dtype == other.dtype
        np.testing.assert_array_equal(mine, other, err_msg=field.name)


def test_keys_of_another_index_are_refused_or_harmless() -> None:
    trie = BY_HAND.trie()
    keys = make_keys([[[BEGIN, A]]], trie)
    scoring, marker = ScoringSettings(), np.zeros(9, np.bool_)
    keys.hi[0, 0] = 4  # P = 3
    with pytest.raises(ValueError, match="another index"):
        score_passages(keys, np.ones(1), trie, settings=scoring, marker=marker, k=1)
    longer = make_keys([[[BEGIN, A, B, END, CLOSE]]], BY_HAND.fm())
    longer.lo[0, 0], longer.hi[0, 0] = 0, 3  # rows that the trie has, a key that it cannot have
    found = score_passages(longer, np.ones(1), trie, settings=scoring, marker=marker, k=3)
    assert (found.key < 0).all()
