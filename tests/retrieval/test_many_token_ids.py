"""More than 2^16 token ids: built, searched and scored for real, in one piece and in three."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from judge_search import BEGIN, BODY, CLOSE, END, TITLE, Toy, as_dicts, bart, judge, toy
from ltrgr.identifiers.join import merge
from ltrgr.scoring.rank_lists import RankLists
from ltrgr.scoring.scoring_settings import ScoringSettings
from ltrgr.scoring.search.passages import score_passages
from ltrgr.scoring.weights import key_weights

SIZE = 70_000
WORDS = np.array([7, 65_534, 65_535, 65_536, 65_537, 65_543, 69_998, SIZE - 1])
"""on both sides of the edge; 65,543 is 7 in 16 bits"""
QUESTIONS = [[7, 65_535, 65_536], [SIZE - 1, 65_543]]


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Toy, Toy]:
    random = np.random.default_rng(6)

    def some(n: int) -> list[int]:
        return [int(word) for word in random.choice(WORDS, n)]

    passages = [[BEGIN, *some(3), END, *some(9), CLOSE] for _ in range(24)]
    model = bart(SIZE)
    whole, sharded = (
        toy(passages, size=SIZE, model=model, directory=directory, shard_tokens=tokens)
        for directory, tokens in (
            (tmp_path_factory.mktemp("whole"), None),
            (tmp_path_factory.mktemp("three"), 8 * len(passages[0])),
        )
    )
    assert (len(whole.index), len(sharded.index)) == (1, 3)
    assert all(arrays.text.dtype == np.uint32 for arrays in sharded.index.arrays)
    return whole, sharded


def ranked(world: Toy) -> RankLists:
    keys = merge([world.search(QUESTIONS, view, num_beams=4).keys for view in (BODY, TITLE)])
    settings = ScoringSettings(max_candidate_count=12, candidates=15)
    weights = key_weights(
        keys.log_probability,
        keys.count,
        n_tokens=world.index.n_tokens,
        view_offset=100.0,  # a random model gives each of 70,000 tokens next to nothing
        settings=settings,
    )
    return score_passages(
        keys, weights, world.index, settings=settings, marker=world.is_marker, k=10
    )


@pytest.mark.slow
def test_shards_find_what_the_whole_and_the_judge_find(worlds: tuple[Toy, Toy]) -> None:
    for view in (BODY, TITLE):
        for world in worlds:
            found = as_dicts(world.search(QUESTIONS, view, num_beams=4))
            for question, keys in zip(QUESTIONS, found, strict=True):
                assert keys == pytest.approx(judge(world, question, view, num_beams=4), abs=1e-4)


@pytest.mark.slow
def test_rank_lists_are_the_same(worlds: tuple[Toy, Toy]) -> None:
    whole, sharded = map(ranked, worlds)
    assert whole.mask.all()
    assert (np.diff(whole.score, axis=1) < 0).any()
    for field in fields(RankLists):
        np.testing.assert_array_equal(getattr(sharded, field.name), getattr(whole, field.name))
