"""The trie of a question's keys against a plain look at every place."""

from __future__ import annotations

import numpy as np
import pytest
from small_world import build, make_keys

from ltrgr.scoring.search.bits import lowest_bit
from ltrgr.scoring.search.key_trie import clear_trie, fill_trie, new_trie, step
from ltrgr.scoring.search.ranked_keys import rank_keys

V = 200


def planted(questions, weights):
    index = build([[*range(V)]], V)
    keys = make_keys(questions, index)
    (ranked,) = rank_keys(keys, np.asarray(weights, float), marker=np.zeros(V, bool))
    trie = new_trie(n_symbols=V, most_nodes=int(ranked.length.sum()), most_keys=len(weights))
    return trie, ranked


def keys_along(trie, tokens):
    """The numbers of the keys that are ``tokens`` or a prefix of them, shortest first."""
    known = int(trie.begins[tokens[0] >> 6]) >> (tokens[0] & 63) & 1
    found, node = [], int(trie.root[tokens[0]]) if known else -1
    for token in [*tokens[1:], None]:
        if node < 0:
            break
        key = int(trie.key[node])
        while key >= 0:
            found.append(key)
            key = int(trie.same[key])
        node = -1 if token is None else int(step(trie, node, token))
    return found


def test_prefixes_are_found_on_the_way():
    # numbered by weight: [5 6 7] 0, [5] 1, [6] 2; [5 6] is no key
    trie, ranked = planted([[[5], [5, 6, 7], [6]]], [2.0, 3.0, 1.0])
    assert fill_trie(trie, ranked, 0) == 3
    assert keys_along(trie, [5, 6, 7]) == [1, 0]
    assert keys_along(trie, [5, 7, 7]) == [1]
    assert keys_along(trie, [6, 7]) == [2]
    assert keys_along(trie, [7, 7]) == []


def test_the_same_tokens_in_two_views_are_two_keys():
    trie, ranked = planted([[[5, 6], [5, 6], [5]]], [3.0, 2.0, 1.0])
    assert fill_trie(trie, ranked, 0) == 4  # at most two lengths, two keys each
    assert sorted(keys_along(trie, [5, 6])) == [0, 1, 2]


def test_a_question_leaves_nothing_to_the_next():
    trie, ranked = planted([[[5, 6]], [[5, 7], [8]]], [1.0, 1.0, 1.0])
    fill_trie(trie, ranked, 0)
    clear_trie(trie, ranked, 0)
    assert not trie.begins.any()
    fill_trie(trie, ranked, 1)
    assert keys_along(trie, [5, 6]) == []
    assert keys_along(trie, [5, 7]) == [0]


def test_tokens_that_share_a_bit_of_the_filter():
    # 3, 67 and 131 are alike modulo 64
    trie, ranked = planted([[[1, 3], [1, 67]]], [2.0, 1.0])
    fill_trie(trie, ranked, 0)
    assert keys_along(trie, [1, 3]) == [0]
    assert keys_along(trie, [1, 67]) == [1]
    assert keys_along(trie, [1, 131]) == []


def test_a_full_table():
    rng = np.random.default_rng(0)
    keys = sorted({tuple(map(int, rng.integers(0, V, n))) for n in rng.integers(1, 6, 400)})
    trie, ranked = planted([[list(key) for key in keys]], np.arange(len(keys), 0, -1.0))
    fill_trie(trie, ranked, 0)
    for number, key in enumerate(keys):
        prefixes = [keys.index(key[:n]) for n in range(1, len(key)) if key[:n] in keys]
        assert keys_along(trie, key) == [*prefixes, number]


@pytest.mark.parametrize("noise", [0, 0x5555555555555555, 2**64 - 1])
def test_lowest_bit(noise):
    for bit in range(64):
        word = ((noise << (bit + 1)) & (2**64 - 1)) | (1 << bit)
        assert lowest_bit(np.uint64(word)) == bit
