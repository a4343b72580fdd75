"""The compiled passage score against arithmetic by hand and against the judge."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from judge import Rule, judge
from passage_cases import END, MARKERS, TITLE, V, assert_judged, assert_same, cases, csr, run
from small_world import build, make_keys

from ltrgr.index.shards import Shards
from ltrgr.scoring.scoring_settings import ScoringSettings
from ltrgr.scoring.search.passages import score_passages


@pytest.fixture(scope="module")
def world() -> Shards:
    # positions:     0  1  2  3  4  5  6    7  8  9 10 11   12 13 14 15
    return build([[1, 5, 6, 7, 8, 6, 0], [1, 9, 6, 7, 0], [1, 8, 9, 0]], V)


# Heaviest first: [5 6 7] (10), [6 7] (4), [7 8] (3), [6] (2), [1 9] (1).
KEYS = [[6], [5, 6, 7], [1, 9], [6, 7], [7, 8]]
WEIGHTS = [2.0, 10.0, 1.0, 4.0, 3.0]


def test_by_hand(world):
    lists = run(world, [KEYS], WEIGHTS, k=4)
    # Passage 0: [5 6 7] at 1, cover 1. [6 7] only at 2 and [7 8] at 3: both overlap it.
    # [6] at 2 overlaps, at 5 it is free; 6 is covered already: cover 0.2.
    # Passage 1: [6 7] at 9, cover 1; [6] overlaps; [1 9] at 7: 9 is new (1 is a marker).
    assert lists.passage.tolist() == [[0, 1, -1, -1]]
    np.testing.assert_allclose(
        lists.score[0, :2], [10 * 1 + 2 * (1 - 0.8), 4 * 1 + 1 * 1], rtol=1e-12
    )
    assert lists.score[0, 2:].tolist() == [-np.inf, -np.inf]
    assert lists.key.shape == (1, 4, 40)
    assert lists.key[0, :, :3].tolist() == [[1, 0, -1], [3, 2, -1], [-1, -1, -1], [-1, -1, -1]]
    assert lists.position[0, :2, :3].tolist() == [[1, 5, -1], [9, 7, -1]]
    np.testing.assert_allclose(lists.coverage[0, :2, :3], [[1, 0.2, 0], [1, 1, 0]], rtol=1e-6)
    assert lists.mask.tolist() == [[True, True, False, False]]


def test_partly_new_tokens(world):
    # [9 6] (5) at 8, then [6] overlaps; [7] free, new; [1 9 6] overlaps: only in passage 1.
    # Passage 0: [8 6] (3) at 4; then [6 7] (2) at 2: tokens {6, 7}, 6 is known: 1 - .8 + .8 / 2.
    lists = run(world, [[[8, 6], [6, 7]]], [3.0, 2.0])
    np.testing.assert_allclose(lists.score[0, 0], 3 + 2 * (1 - 0.8 + 0.8 / 2), rtol=1e-12)
    assert lists.position[0, 0, :2].tolist() == [4, 2]


def test_plain_sum(world):
    lists = run(world, [KEYS], WEIGHTS, Rule(coverage=0.0, overlap=True))
    assert lists.passage[0, :3].tolist() == [0, 1, -1]
    assert lists.score[0, :2].tolist() == [10 + 4 + 3 + 2, 4 + 2 + 1]
    assert lists.position[0, 0, :4].tolist() == [1, 2, 3, 2]


def test_keys_per_passage(world):
    lists = run(world, [KEYS], WEIGHTS, Rule(coverage=0.0, overlap=True, most=2))
    assert lists.key.tolist()[0][:2] == [[1, 3], [3, 0]]
    assert lists.score[0, :2].tolist() == [14, 6]
    widest = run(world, [KEYS], WEIGHTS, Rule(coverage=0.0, overlap=True, most=None))
    assert widest.key.shape == (1, 10, 4)


def test_key_of_markers_alone_counts_in_full(world):
    lists = run(world, [[[TITLE], [TITLE, 5]]], [1.0, 2.0])
    # Passage 0: [1 5] at 0, then [1] is taken there. Passages 1 and 2: [1] with cover 1.
    assert lists.passage[0, :3].tolist() == [0, 1, 2]
    assert lists.score[0, :3].tolist() == [2, 1, 1]


def test_ties_go_to_the_longer_key_then_to_the_earlier(world):
    lists = run(world, [[[6], [7], [6, 7]]], [1.0, 1.0, 1.0])
    assert lists.key[0, 0, :3].tolist() == [2, 0, -1]  # passage 0: [6 7] at 2, [6] at 5
    assert run(world, [[[8], [6]]], [1.0, 1.0]).key[0, 0, :2].tolist() == [0, 1]


def test_excluded_occurrences(world):
    excluded = (np.array([0, 2, 2]), np.array([2, 8]), np.array([3, 10]))
    lists = run(world, [KEYS, KEYS], WEIGHTS * 2, excluded=excluded)
    # Question 0 may not use 2 and 8..9: [5 6 7] is gone, [7 8] at 3 counts (3), [6] at 5 (2);
    # nothing is left of passage 1, whose [6 7], [6] and [1 9] all touch 8..9.
    assert lists.passage[0, :2].tolist() == [0, -1]
    assert lists.score[0, 0] == 3 + 2
    assert lists.position[0, 0, :2].tolist() == [3, 5]
    np.testing.assert_allclose(lists.score[1, :2], [10.4, 5.0], rtol=1e-12)


def test_common_keys_count_but_do_not_propose(world):
    # [6] occurs three times, [8] twice, [7 8] once; with rare=1 only [7 8] proposes.
    keys, weights = [[6], [8], [7, 8]], [5.0, 4.0, 1.0]
    lists = run(world, [keys], weights, Rule(max_candidate_count=1))
    assert lists.passage[0, :2].tolist() == [0, -1]
    # [6] at 2, [8] at 4, then [7 8] overlaps.
    assert lists.score[0, 0] == 5 + 4


def test_common_keys_propose_where_no_rare_key_does(world):
    lists = run(world, [[[6], [9]], [[8]]], [5.0, 0.0, 2.0], Rule(max_candidate_count=1))
    assert lists.passage[:, :3].tolist() == [[0, 1, -1], [0, 2, -1]]
    assert lists.score[:, 0].tolist() == [5, 2]


def test_candidates_are_the_best_proposals(world):
    lists = run(world, [[[6], [8], [9]]], [1.0, 2.0, 2.5], Rule(candidates=1))
    # Proposals: 1 + 2 = 3, 1 + 2.5 = 3.5, 2 + 2.5 = 4.5.
    assert lists.passage[0, :2].tolist() == [2, -1]


def test_no_keys_and_weightless_keys_find_nothing(world):
    assert not run(world, [[], [[6]]], [0.0]).mask.any()
    assert run(world, [], []).passage.shape == (0, 10)


def test_members_point_into_the_batch(world):
    lists = run(world, [[[9]], [[6], [5, 6, 7]]], [1.0, 1.0, 2.0], k=1)
    assert lists.members(np.array([0, 1, 3]))[:, 0, :2].tolist() == [[0, -1], [2, 1]]


@settings(max_examples=300, deadline=None)
@given(case=cases())
def test_equals_the_judge(case):
    passages, questions, weights, rule, ranges = case
    index = build(passages, V)
    excluded = csr(ranges)
    lists = run(index, questions, weights, rule, k=4, excluded=excluded)
    assert_judged(lists, case, make_keys(questions, index).count.tolist(), k=4)


@pytest.mark.parametrize("max_candidate_count", [8, 1500])
def test_long_passages_and_many_keys_equal_the_judge(max_candidate_count):
    # Passages of 1 to 400 tokens, so that a block of the position hints begins none, one, or many;
    # over 64 keys a question, most of them single tokens; two questions of one call.
    rng = np.random.default_rng(3)
    lengths = [*rng.integers(100, 400, 12), *rng.integers(1, 12, 30), 390, 1, 300]
    passages = [[TITLE, *map(int, rng.zipf(1.3, n) % 60 + 2), END] for n in lengths]
    index = build(passages, 62)
    text = [token for passage in passages for token in passage]
    questions = []
    for _ in range(2):
        starts = rng.integers(0, len(text) - 6, 12)
        spans = {tuple(text[s : s + n]) for s in starts for n in range(1, 6)}
        questions.append([*map(list, spans), *([token] for token in range(2, 62))])
    n_keys = sum(map(len, questions))
    assert min(map(len, questions)) > 64
    weights = rng.uniform(0, 9, n_keys).round(1)
    rule = Rule(max_candidate_count=max_candidate_count, candidates=20)
    spans = [(5, 40), (len(text) - 60, len(text))]
    excluded = (np.array([0, 0, 2]), *map(np.array, zip(*spans, strict=True)))
    lists = score_passages(
        make_keys(questions, index),
        weights,
        index,
        settings=ScoringSettings(max_candidate_count=max_candidate_count, candidates=20),
        marker=np.arange(62) < 2,
        k=9,
        excluded=excluded,
    )
    first = 0
    for b, keys in enumerate(questions):
        own = slice(first, first + len(keys))
        counts = make_keys([keys], index).count.tolist()
        wanted = judge(
            passages,
            keys,
            weights[own].tolist(),
            counts,
            markers=MARKERS,
            rule=rule,
            ranges=spans if b else [],
            k=9,
        )
        assert_same(lists, b, wanted)
        first += len(keys)


def test_misfits_are_refused(world):
    keys = make_keys([[[6]]], world)
    marker = np.zeros(V, bool)
    scoring = ScoringSettings()
    with pytest.raises(ValueError, match="expected one each"):
        score_passages(keys, np.ones(2), world, settings=scoring, marker=marker, k=1)
    with pytest.raises(ValueError, match="not finite"):
        score_passages(keys, np.array([np.nan]), world, settings=scoring, marker=marker, k=1)
    with pytest.raises(ValueError, match="vocabulary has 12"):
        score_passages(keys, np.ones(1), world, settings=scoring, marker=marker[:6], k=1)
    keys.hi[0] = 1000
    with pytest.raises(ValueError, match="another index"):
        score_passages(keys, np.ones(1), world, settings=scoring, marker=marker, k=1)
    with pytest.raises(ValueError, match="expected 2 offsets"):
        run(world, [[[6]]], [1.0], excluded=(np.array([0]), np.zeros(0), np.zeros(0)))
    with pytest.raises(ValueError, match="k=0"):
        run(world, [[[6]]], [1.0], k=0)
