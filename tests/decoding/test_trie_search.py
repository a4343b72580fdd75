"""The beam search over a trie of docids: the keys of the FM-index, and their log p to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from docid_worlds import BEGIN, CLOSE, END, DocidWorld, random_world
from judge_search import bart
from ltrgr.decoding.beam_kernels import advance, make_scratch
from ltrgr.decoding.beam_search import Found, SearchedView, constrained_beam_search

SIZE = 15
PROMPTS = torch.tensor([[7, 8, 9], [10, 7, 7], [12, 12, 8]])
DEEP = [[7, 8] * 6, *([[7, 8] * 6, [7 + i] * (i + 1)][i % 2] + [9 + i] for i in range(5))]
WORLDS = {
    "random": random_world(passages=60, symbols=4, length=5, seed=2, size=SIZE),
    "common prefix": DocidWorld(
        [[7, 7, 8, *code] for code in random_world(passages=20, symbols=8, length=2, seed=3).codes],
        [[]] * 20,
        [[7, 7, 8]] * 20,
        SIZE,
    ),
    "deep": DocidWorld(DEEP, [[8]] * 6, [[7, 8]] * 6, SIZE),
    "one passage": DocidWorld([[9, 7]], [[]], [[9, 7, 9]], SIZE),
}


def search(world: DocidWorld, index: Any, *, num_beams: int) -> Found:
    marker = np.zeros(SIZE, np.bool_)
    marker[[BEGIN, END, CLOSE]] = True
    return constrained_beam_search(
        bart(SIZE),
        prompt_ids=PROMPTS,
        prompt_mask=torch.ones_like(PROMPTS),
        view=SearchedView(number=0, begin=BEGIN, end=END, max_new_tokens=14),
        index=index,
        is_marker=marker,
        num_beams=num_beams,
    )


@pytest.mark.parametrize("num_beams", [1, 4, 100])
@pytest.mark.parametrize("name", WORLDS)
def test_the_search_is_the_same(name: str, num_beams: int) -> None:
    world = WORLDS[name]
    trie, fm = world.trie(), world.fm()
    ours, theirs = (search(world, index, num_beams=num_beams) for index in (trie, fm))
    for part in ("question_offsets", "token_offsets", "tokens", "log_probability", "count", "view"):
        np.testing.assert_array_equal(
            getattr(ours.keys, part), getattr(theirs.keys, part), err_msg=part
        )
    torch.testing.assert_close(ours.first_step, theirs.first_step, rtol=0, atol=0)
    keys = [tuple(key) for key in np.split(ours.keys.tokens, ours.keys.token_offsets[1:-1])]
    whole = {key for key in keys if key[-1] == END}
    assert whole <= {tuple(docid) for docid in world.docids}
    if num_beams == 100:  # more beams than docids: every one is found, and nothing else
        assert {tuple(key) for key in world.prefixes()} - {(BEGIN,)} == set(keys)
    for key, lo, hi in zip(keys, ours.keys.lo[:, 0], ours.keys.hi[:, 0], strict=True):
        assert sorted(trie.arrays[0].passage[lo:hi].tolist()) == world.holders(list(key))


def test_a_step_needs_the_depth() -> None:
    """The rows of <7> and <7 7 8> are the same here; how many tokens led to them is not."""
    world = WORLDS["common prefix"]
    trie = world.trie()
    found = []
    for key in ([BEGIN], [BEGIN, 7], [BEGIN, 7, 7]):
        lo, hi = (rows[None, None] for rows in trie.interval(key))
        assert (lo.item(), hi.item()) == (0, 20)
        token, *_ = advance(
            trie.arrays,
            np.zeros((1, SIZE), np.float32),
            np.zeros(1, np.float32),
            np.zeros((1, 1), np.float32),
            lo,
            hi,
            len(key),
            np.array([END]),
            np.zeros(SIZE, np.bool_),
            1,
            make_scratch(SIZE),
        )
        found.append(token[0, 0])
    assert found == [7, 7, 8]
