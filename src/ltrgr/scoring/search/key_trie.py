"""A trie of the keys of one question; it finds all of them in a text in one pass (compiled)."""

# To numba, np.int64 and int are one type.
# mypy: disable-error-code="assignment,return-value"
from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ltrgr.compiled import njit
from ltrgr.index.kernels import STEP
from ltrgr.scoring.search.ranked_keys import RankedKeys

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""2^64 / golden ratio: multiplicative hashing (Knuth, TAOCP 3, 6.4)"""


class KeyTrie(NamedTuple):
    """A node is a prefix of a key. Keys are numbered by falling weight within the question.

    First tokens have dense tables. All other edges are in a hash table with open addressing.
    """

    begins: NDArray[np.uint64]
    """[V / 64] a bit for each token that begins a key; zeros between two questions. The scan tests
    every token of a text against it, so it is small enough for the first-level cache."""
    root: NDArray[np.int32]
    """[V] the node of each first token; valid where the bit in ``begins`` is set."""
    edge: NDArray[np.int64]
    """[power of two] ``node << 32 | token``, or -1 for an empty slot."""
    child: NDArray[np.int32]
    """[as ``edge``] the node that the edge leads to."""
    kids: NDArray[np.uint64]
    """[nodes] a bit for each ``token % 64`` of the node's edges. A zero bit rejects most tokens
    without a look at the hash table."""
    key: NDArray[np.int32]
    """[nodes] a key that ends at the node, or -1."""
    same: NDArray[np.int32]
    """[keys] another key with the same tokens (of another view), or -1."""


def new_trie(*, n_symbols: int, most_nodes: int, most_keys: int) -> KeyTrie:
    """An empty trie with room for the largest question.

    Args:
        n_symbols: V.
        most_nodes: the most tokens that the keys of a question have in all.
        most_keys: the most keys of a question.
    """
    slots = 16
    while slots < 2 * most_nodes:
        slots *= 2
    return KeyTrie(
        np.zeros((n_symbols + 63) >> 6, np.uint64),
        np.empty(n_symbols, np.int32),
        np.empty(slots, np.int64),
        np.empty(slots, np.int32),
        np.empty(most_nodes, np.uint64),
        np.empty(most_nodes, np.int32),
        np.empty(most_keys, np.int32),
    )


@njit(**STEP)
def fill_trie(trie: KeyTrie, ranked: RankedKeys, question: int) -> int:
    """Insert the keys of a question; return the most keys that can begin at one position."""
    trie.edge[:] = -1
    first, last = ranked.offsets[question], ranked.offsets[question + 1]
    nodes, longest, alike = 0, 0, 1
    for key in range(first, last):
        start, length = ranked.start[key], ranked.length[key]
        longest = max(longest, length)
        node, nodes = _first(trie, ranked.tokens[start], nodes)
        for i in range(start + 1, start + length):
            node, nodes = _next(trie, node, ranked.tokens[i], nodes)
        number = key - first
        trie.same[number] = trie.key[node]
        trie.key[node] = number
        run, other = 1, trie.same[number]
        while other >= 0:
            run, other = run + 1, trie.same[other]
        alike = max(alike, run)
    return longest * alike


@njit(**STEP)
def clear_trie(trie: KeyTrie, ranked: RankedKeys, question: int) -> None:
    """Clear the bits of ``begins`` that ``fill_trie`` set."""
    for key in range(ranked.offsets[question], ranked.offsets[question + 1]):
        trie.begins[ranked.tokens[ranked.start[key]] >> 6] = 0


@njit(**STEP)
def slot_of(trie: KeyTrie, edge: int) -> int:
    """The slot of the edge, or the empty slot where it belongs."""
    mask = trie.edge.size - 1
    slot = np.int64((np.uint64(edge) * GOLDEN) >> np.uint64(32)) & mask
    while trie.edge[slot] != edge and trie.edge[slot] >= 0:
        slot = (slot + 1) & mask
    return slot


@njit(**STEP)
def step(trie: KeyTrie, node: int, token: int) -> int:
    """The node that ``token`` leads to from ``node``, or -1."""
    if not (trie.kids[node] >> np.uint64(token & 63)) & np.uint64(1):
        return np.int64(-1)
    slot = slot_of(trie, (node << 32) | token)
    return np.int64(trie.child[slot]) if trie.edge[slot] >= 0 else np.int64(-1)


@njit(**STEP)
def _first(trie: KeyTrie, token: int, nodes: int) -> tuple[int, int]:
    word, bit = token >> 6, np.uint64(1) << np.uint64(token & 63)
    if not trie.begins[word] & bit:
        trie.begins[word] |= bit
        trie.root[token] = nodes
        trie.kids[nodes], trie.key[nodes] = 0, -1
        nodes += 1
    return np.int64(trie.root[token]), nodes


@njit(**STEP)
def _next(trie: KeyTrie, node: int, token: int, nodes: int) -> tuple[int, int]:
    edge = (node << 32) | np.int64(token)
    slot = slot_of(trie, edge)
    if trie.edge[slot] < 0:
        trie.edge[slot], trie.child[slot] = edge, nodes
        trie.kids[node] |= np.uint64(1) << np.uint64(token & 63)
        trie.kids[nodes], trie.key[nodes] = 0, -1
        nodes += 1
    return np.int64(trie.child[slot]), nodes
