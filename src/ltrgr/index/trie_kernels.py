"""Compiled steps of a trie of identifiers; `any_index` offers them to decoding and scoring.

``arrays`` is a `TrieArrays`. The state of a key is the number of its tokens, its depth, and the
interval [lo, hi) of the rows that begin with it. As in `kernels`, intervals come from an index and
are not checked. A mapped file may be damaged while it is in use, so what is read from one is kept
within bounds: a wrong answer can be noticed, a crash of the process cannot be undone.
"""

# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

import numpy as np

from ltrgr.compiled import njit
from ltrgr.index.kernels import STEP


@njit(**STEP)
def first_node(first_row, left, right, row):
    """The first node i in [left, right) with ``first_row[i] >= row``, or ``right``."""
    while left < right:
        middle = (left + right) >> 1
        if first_row[middle] < row:
            left = middle + 1
        else:
            right = middle
    return left


@njit(**STEP)
def children(arrays, lo, hi, depth):
    """The nodes [begin, end) that extend a key of ``depth`` tokens by one; none for a whole one.

    They are the nodes of level ``depth`` whose rows lie in [lo, hi). Every identifier below a key
    goes on, since none is a prefix of another, so the children cover all rows of the key.
    """
    if hi <= lo or depth >= arrays.level_offsets.size - 1:
        return np.int64(0), np.int64(0)
    left = max(arrays.level_offsets[depth], 0)
    right = min(arrays.level_offsets[depth + 1], arrays.token.size)
    begin = first_node(arrays.first_row, left, right, lo)
    # hi - lo rows have at most hi - lo nodes, so the second search of a rare key is short
    return begin, first_node(arrays.first_row, begin, min(right, begin + hi - lo), hi)


@njit(**STEP)
def extend(arrays, lo, hi, token, depth):
    """The interval (lo, hi) of the key extended by ``token``; lo == hi if no identifier has it."""
    begin, end = children(arrays, lo, hi, depth)
    low, high = begin, end
    while low < high:
        middle = (low + high) >> 1
        if arrays.token[middle] < token:
            low = middle + 1
        else:
            high = middle
    if low == end or np.int64(arrays.token[low]) != token:
        return np.int64(0), np.int64(0)
    first = min(max(np.int64(arrays.first_row[low]), lo), hi)
    after = np.int64(arrays.first_row[low + 1]) if low + 1 < end else np.int64(hi)
    return first, min(max(after, first), hi)


@njit(**STEP)
def allowed(arrays, lo, hi, depth, stamp, stamp_value, out):
    """Write the tokens that follow the key to ``out``, ascending; return their number.

    Args:
        stamp: [V + 1] as in ``kernels.fill_allowed``; only its size is read.
        out: at least V entries.
    """
    begin, end = children(arrays, lo, hi, depth)
    n = 0
    for node in range(begin, min(end, begin + stamp.size - 1)):
        token = np.int64(arrays.token[node])
        if token < stamp.size - 1:  # or the file is damaged
            out[n] = token
            n += 1
    return n


@njit(**STEP)
def passage_of_row(arrays, row, length):
    """The passage whose identifier is in ``row``."""
    return np.int64(arrays.passage[row])


@njit(**STEP)
def position_of_row(arrays, row, length):
    """Where the identifier in ``row`` begins in the token stream."""
    return arrays.begin[min(max(np.int64(arrays.passage[row]), 0), arrays.begin.size - 1)]


@njit(**STEP)
def span_of_passage(arrays, passage):
    """Positions (begin, end) of the token stream that hold the passage's identifier.

    ``end`` allows for the longest identifier, since the trie does not keep the length of each.
    """
    begin = arrays.begin[passage]
    return begin, begin + arrays.level_offsets.size - 1


@njit(cache=True, nogil=True)
def passages_of_token(arrays, token):
    """An empty array: passages are not listed, since a row gives its passage at once."""
    return arrays.passage[:0]


@njit(**STEP)
def row_of_passage(arrays, passage):
    """The row of the passage's identifier."""
    return np.int64(arrays.row[passage])


@njit(cache=True, nogil=True)
def extend_many(arrays, lo, hi, tokens, depth):
    """lo, hi [n] of n intervals of keys of ``depth`` tokens, each extended by its own token."""
    new_lo, new_hi = np.empty_like(lo), np.empty_like(hi)
    for i in range(lo.size):
        new_lo[i], new_hi[i] = extend(arrays, lo[i], hi[i], np.int64(tokens[i]), depth)
    return new_lo, new_hi


@njit(cache=True, nogil=True)
def intervals_of(arrays, token_offsets, tokens):
    """lo, hi [n] of the keys ``tokens[token_offsets[i]:token_offsets[i + 1]]``."""
    n = token_offsets.size - 1
    all_lo, all_hi = np.empty(n, np.int64), np.empty(n, np.int64)
    for i in range(n):
        lo, hi = np.int64(0), np.int64(arrays.passage.size)
        for j in range(token_offsets[i], token_offsets[i + 1]):
            lo, hi = extend(arrays, lo, hi, np.int64(tokens[j]), j - token_offsets[i])
        all_lo[i], all_hi[i] = lo, hi
    return all_lo, all_hi
