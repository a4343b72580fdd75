"""Rank lists over several shards: those of the unsharded corpus, bit for bit."""

from __future__ import annotations

from dataclasses import fields
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judge import Rule
from passage_cases import TITLE, V, assert_judged, cases, csr, run
from small_world import build, build_shards, make_keys

from ltrgr.index.shards import Shards
from ltrgr.scoring.rank_lists import RankLists
from ltrgr.scoring.scoring_settings import ScoringSettings
from ltrgr.scoring.search import sharded
from ltrgr.scoring.search.candidate_generation import Excluded
from ltrgr.scoring.search.passages import score_passages

# Positions 0-3, 4-7 | 8-11, 12-14; [6] stands twice in each half, [8] in one half only.
HALVES = [[[1, 5, 6, 0], [1, 6, 8, 0]], [[1, 6, 7, 0], [1, 6, 0]]]


@pytest.fixture(scope="module")
def halves() -> Shards:
    return build_shards(HALVES, V)


def assert_equal(found: RankLists, expected: RankLists) -> None:
    for field in fields(RankLists):
        ours, theirs = getattr(found, field.name), getattr(expected, field.name)
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs, err_msg=field.name)


def test_by_hand(halves):
    lists = run(halves, [[[6], [8], [6, 7]]], [2.0, 3.0, 4.0])
    # Passage 1: [8] and [6], 5. Passage 2: [6 7], 4; [6] overlaps. Passages 0 and 3: [6], 2.
    assert lists.passage[0, :5].tolist() == [1, 2, 0, 3, -1]
    assert lists.score[0, :4].tolist() == [5, 4, 2, 2]
    assert lists.key[0, :4, :2].tolist() == [[1, 0], [2, -1], [0, -1], [0, -1]]
    assert lists.position[0, :4, :2].tolist() == [[6, 5], [9, -1], [2, -1], [13, -1]]


def test_rare_is_what_is_rare_in_the_corpus(halves):
    # [6] occurs four times, twice in each shard: common for rare=3, and [8] alone proposes.
    lists = run(halves, [[[6], [8]], [[6]]], [1.0, 2.0, 1.0], Rule(max_candidate_count=3))
    assert lists.passage[0, :2].tolist() == [1, -1]
    assert lists.score[0, 0] == 3
    # No rare key at all in the second question: the common one proposes in both shards.
    assert lists.passage[1, :5].tolist() == [0, 1, 2, 3, -1]


def test_candidates_are_the_best_of_all_shards(halves):
    lists = run(halves, [[[6], [5], [7]], [[6]]], [1.0, 2.0, 3.0, 1.0], Rule(candidates=1))
    assert lists.passage[:, :2].tolist() == [[2, -1], [0, -1]]  # 4 against 3; a tie
    lists = run(halves, [[[6], [7]]], [1.0, 3.0], Rule(candidates=2), k=1)
    assert lists.passage.tolist() == [[2]]


def test_excluded_ranges_are_positions_of_the_corpus(halves):
    # 7..8 ends the first shard and begins the second, 13 is the [6] of the last passage.
    lists = run(halves, [[[6], [TITLE]]], [2.0, 1.0], excluded=csr([[(7, 9), (13, 14)]]))
    assert lists.passage[0, :4].tolist() == [0, 1, 2, 3]
    assert lists.score[0, :4].tolist() == [3, 3, 2, 1]


def test_a_range_reaches_only_the_shards_that_it_touches():
    ranges = Excluded(np.array([0, 2, 3]), np.array([2, 9, 0]), np.array([3, 11, 20]))
    # The shard holds 8..11: the first range ends before it.
    own = sharded.of_shard(ranges, 8, 4)
    assert [part.tolist() for part in own] == [[0, 1, 2], [1, -8], [3, 12]]


@st.composite
def sharded_cases(draw):
    """A case, the parts of its corpus, k, and how many proposals are held at a time."""
    case = draw(cases())
    passages = case[0]
    n_shards = min(draw(st.sampled_from([1, 2, 3, 5])), len(passages))
    inner = st.integers(1, max(1, len(passages) - 1))
    cuts = draw(st.sets(inner, min_size=n_shards - 1, max_size=n_shards - 1))
    edges = [0, *sorted(cuts), len(passages)]
    parts = [passages[a:b] for a, b in pairwise(edges)]
    return case, parts, draw(st.sampled_from([1, 3, 10])), draw(st.sampled_from([1, 5, 1 << 22]))


@settings(max_examples=150, deadline=None)
@given(sharded_cases())
def test_any_cut_equals_the_whole_and_the_judge(drawn):
    case, parts, k, room = drawn
    passages, questions, weights, rule, ranges = case
    whole, index = build(passages, V), build_shards(parts, V)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sharded, "ROOM", room)
        found = run(index, questions, weights, rule, k=k, excluded=csr(ranges))
    assert_equal(found, run(whole, questions, weights, rule, k=k, excluded=csr(ranges)))
    assert_judged(found, case, make_keys(questions, whole).count.tolist(), k=k)


@pytest.mark.parametrize("max_candidate_count", [8, 40, 1500])
@pytest.mark.parametrize("width", [None, 3])
def test_long_passages_and_many_keys(max_candidate_count: int, width: int | None) -> None:
    """Over 64 keys a question, sums of many weights, more candidates than are chosen or listed."""
    rng = np.random.default_rng(4)
    passages = [[TITLE, *map(int, rng.zipf(1.3, n) % 60 + 2), 0] for n in rng.integers(1, 90, 60)]
    text = [token for passage in passages for token in passage]
    questions = []
    for _ in range(4):
        starts = rng.integers(0, len(text) - 6, 12)
        spans = {tuple(text[s : s + n]) for s in starts for n in range(1, 6)}
        pieces = [list(span) for span in spans if 0 not in span[:-1]]
        questions.append([*pieces, *([token] for token in range(2, 62))])
    whole = build(passages, 62)
    index = build_shards([passages[:11], passages[11:12], passages[12:40], passages[40:]], 62)
    settings = ScoringSettings(
        max_candidate_count=max_candidate_count, candidates=25, keys_per_passage=width
    )
    marker, weights = np.arange(62) < 2, rng.uniform(0, 9, sum(map(len, questions)))
    one, other = (
        score_passages(
            make_keys(questions, searched),
            weights,
            searched,
            settings=settings,
            marker=marker,
            k=20,
            excluded=csr([[], [(5, 40), (700, 900)], [], [(0, 2)]]),
        )
        for searched in (whole, index)
    )
    assert one.mask.all(axis=1).any()
    assert_equal(other, one)


def test_no_keys_find_nothing(halves):
    assert not run(halves, [[], [[6]]], [0.0]).mask.any()
    assert run(halves, [], []).passage.shape == (0, 10)


def test_keys_of_another_index_are_refused(halves):
    whole = build([passage for half in HALVES for passage in half], V)
    scoring, marker = ScoringSettings(), np.arange(V) < 2
    for ours, other in ((halves, whole), (whole, halves)):
        keys = make_keys([[[6]]], other)
        with pytest.raises(ValueError, match=f"{len(other)} shards, the index has {len(ours)}"):
            score_passages(keys, np.ones(1), ours, settings=scoring, marker=marker, k=1)
    keys = make_keys([[[6]]], halves)
    keys.hi[0, 1] = len(halves.arrays[1].suffix_array) + 1  # fewer than the first shard's rows
    with pytest.raises(ValueError, match="another index"):
        score_passages(keys, np.ones(1), halves, settings=scoring, marker=marker, k=1)
