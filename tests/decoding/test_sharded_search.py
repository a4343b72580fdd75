"""A sharded index under the beam search: the same keys, scores and counts as in one piece."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from judge_search import BODY, FIRST_WORD, TITLE, SearchedView, Toy, bart, random_passages, toy
from ltrgr.decoding.beam_kernels import Best, _insert, advance, make_scratch

QUESTIONS = [[7, 8, 9], [10, 7], [12, 12, 8, 9, 11]]
SIZE = FIRST_WORD + 8
WIDE = 20
"""rows from which next tokens come from a list: some keys of the toy corpus, in some shards"""


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Toy]:
    """The same corpus in 1, 2, 3, 5 and 25 shards."""
    passages = random_passages(words=8, passages=25, seed=3)
    longest = max(map(len, passages))
    n = sum(map(len, passages))
    made = {}
    for shard_tokens in (None, n // 2 + longest, n // 3 + longest, n // 5 + longest, 1):
        world = toy(
            passages,
            size=SIZE,
            model=bart(SIZE),
            directory=tmp_path_factory.mktemp("shards"),
            shard_tokens=shard_tokens,
            wide_threshold=WIDE,
        )
        made[len(world.index)] = world
    return made


@pytest.mark.parametrize("num_beams", [1, 4, 40])
@pytest.mark.parametrize("view", [BODY, TITLE], ids=["body", "title"])
def test_the_search_is_the_same(worlds: dict[int, Toy], view: SearchedView, num_beams: int) -> None:
    assert sorted(worlds) == [1, 2, 3, 5, 25]
    whole = worlds[1].search(QUESTIONS, view, num_beams=num_beams)
    for n_shards, world in worlds.items():
        found = world.search(QUESTIONS, view, num_beams=num_beams)
        assert found.keys.lo.shape == (len(whole.keys.view), n_shards)
        assert found.keys.lo.shape == found.keys.hi.shape
        for name in ("question_offsets", "token_offsets", "tokens", "log_probability", "count"):
            ours, theirs = getattr(found.keys, name), getattr(whole.keys, name)
            np.testing.assert_array_equal(ours, theirs, err_msg=f"{name}, {n_shards} shards")
        rows = world.index.intervals(found.keys.token_offsets, found.keys.tokens)
        occurs = found.keys.hi > found.keys.lo
        for own, expected in zip((found.keys.lo, found.keys.hi), rows, strict=True):
            np.testing.assert_array_equal(own[occurs], expected[occurs])
        assert (rows[1] - rows[0]).sum(axis=1).tolist() == found.keys.count.tolist()


def one_step(world: Toy, logits: np.ndarray, *, num_beams: int, end: int = -1) -> Any:
    lo, hi = (np.tile(rows, (1, 1, 1)) for rows in world.index.interval([]))
    return advance(
        world.index.arrays,
        logits.astype(np.float32),
        np.zeros(1, np.float32),
        np.zeros((1, 1), np.float32),
        lo,
        hi,
        0,
        np.array([end]),
        world.is_marker,
        num_beams,
        make_scratch(SIZE),
    )


@pytest.mark.parametrize("n_shards", [1, 2, 3, 5, 25])
def test_equal_scores_go_to_the_lower_token(worlds: dict[int, Toy], n_shards: int) -> None:
    """Whatever row or shard it is found in first; 7 to 14 are the words of the corpus."""
    token, _, score, *_ = one_step(worlds[n_shards], np.zeros((1, SIZE)), num_beams=3)
    assert token[0, :3].tolist() == [7, 8, 9]
    logits = np.zeros((1, SIZE))
    logits[0, 12] = 0.5
    token, _, score, *_ = one_step(worlds[n_shards], logits, num_beams=3)
    assert token[0, :3].tolist() == [12, 7, 8]
    assert score[0, :3].tolist() == [0.5, 0, 0]
    assert not np.isfinite(score[0, 3:]).any()


Candidate = tuple[int, int, int]
few = st.integers(0, 3)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(few, few, few), max_size=30), st.integers(1, 6))
def test_the_best_list_is_a_sorted_set(candidates: list[Candidate], capacity: int) -> None:
    """(beam, token) has one score, as it has whichever shard offers it."""
    scored = {(beam, token): -score for score, beam, token in candidates}
    best = Best(
        np.empty((1, capacity), np.float32),
        np.empty((1, capacity), np.int32),
        np.empty((1, capacity), np.int32),
        np.zeros(1, np.int64),
    )
    size = 0
    for _, beam, token in candidates:
        size = _insert(
            best.score[0], best.beam[0], best.token[0], size,
            np.float32(scored[beam, token]), beam, np.int32(token),
        )  # fmt: skip
    expected = sorted((-score, beam, token) for (beam, token), score in scored.items())[:capacity]
    held = zip(best.score[0, :size], best.beam[0, :size], best.token[0, :size], strict=True)
    assert [(-score, beam, token) for score, beam, token in held] == expected


def test_a_shard_without_a_hypothesis_is_left_out(worlds: dict[int, Toy]) -> None:
    """In 25 shards of one passage each, a title stands in one of them or in a few."""
    found = worlds[25].search([[7, 8]], TITLE, num_beams=4).keys
    here = found.hi > found.lo
    assert here.any(axis=1).all()
    assert not here.all()
    assert torch.isfinite(torch.from_numpy(found.log_probability)).all()
