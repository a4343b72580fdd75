"""Compiled steps for one interval; compiled loops of any room call them.

``arrays`` is an `IndexArrays`. An interval [lo, hi) holds one row per occurrence of a key. Rows and
positions come from an index, not from a user, so they are not checked. A mapped file may be
damaged while it is in use, though: symbols above V are skipped and passages stay below P. A wrong
answer can be noticed, a crash of the process cannot be undone.

The last steps are those that `any_index` offers to decoding and scoring.

numba's cache checks only the file of the caller. After a change here, remove the ``*.nbi`` files of
the rooms that call these steps; else they keep the old code.
"""

# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

import numpy as np

from ltrgr.compiled import njit
from ltrgr.index.arrays import HINT_SHIFT, SAMPLE_SHIFT

# _nrt=False switches reference counting off. With it, each call would count references to all
# arrays of the tuple, which takes half the time of `extend_one`. Steps allocate nothing.
STEP = {"cache": True, "nogil": True, "_nrt": False}

NEAR = 2
"""A block of position hints with at most this many passage starts is walked, not bisected."""


@njit(**STEP)
def lower_bound(occurrences, samples, left, right, row):
    """The first i in [left, right) with ``occurrences[i] >= row``, or ``right``.

    The samples first narrow a long range to 64 entries.
    """
    if right - left > (1 << SAMPLE_SHIFT):
        begin = (left + (1 << SAMPLE_SHIFT) - 1) >> SAMPLE_SHIFT
        low, high = begin, ((right - 1) >> SAMPLE_SHIFT) + 1
        while low < high:
            middle = (low + high) >> 1
            if samples[middle] < row:
                low = middle + 1
            else:
                high = middle
        # samples[low] is the first at or above the row, samples[low - 1] the last below it
        right = min(right, low << SAMPLE_SHIFT)
        if low > begin:
            left = ((low - 1) << SAMPLE_SHIFT) + 1
    while left < right:
        middle = (left + right) >> 1
        if occurrences[middle] < row:
            left = middle + 1
        else:
            right = middle
    return left


@njit(**STEP)
def extend_one(arrays, lo, hi, token):
    """The interval (lo, hi) of the key extended by ``token``; lo == hi if it does not occur.

    LF mapping: the new row is first[c] + rank(c, row). A symbol's group in ``occurrences`` begins
    at first[c] too, so the position that the search finds is the new row itself. A token id
    outside the vocabulary occurs nowhere.
    """
    if hi <= lo or token < 0 or token >= arrays.first.size - 2:
        return np.int64(0), np.int64(0)
    begin, end = arrays.first[token + 1], arrays.first[token + 2]
    low = lower_bound(arrays.occurrences, arrays.samples, begin, end, lo)
    # hi - lo rows hold at most hi - lo occurrences, so the second search of a rare key is short
    end = min(end, low + (hi - lo))
    return low, lower_bound(arrays.occurrences, arrays.samples, low, end, hi)


@njit(**STEP)
def find_wide(arrays, lo, hi):
    """The number of [lo, hi) among the wide intervals, or -1."""
    low, high = 0, arrays.wide_lo.size
    while low < high:
        middle = (low + high) >> 1
        other = arrays.wide_lo[middle]
        if other < lo or (other == lo and arrays.wide_hi[middle] < hi):
            low = middle + 1
        else:
            high = middle
    if low < arrays.wide_lo.size and arrays.wide_lo[low] == lo and arrays.wide_hi[low] == hi:
        return low
    return -1


@njit(**STEP)
def allowed_bound(arrays, lo, hi):
    """Upper bound on the distinct tokens that follow; ``fill_allowed`` needs this room."""
    if hi - lo > arrays.wide_threshold:
        wide = find_wide(arrays, lo, hi)
        if wide >= 0:
            return arrays.wide_offsets[wide + 1] - arrays.wide_offsets[wide]
    return min(max(hi - lo, 0), arrays.first.size - 2)


@njit(**STEP)
def fill_allowed(arrays, lo, hi, stamp, stamp_value, out_tokens):
    """Write the distinct tokens that follow the key to ``out_tokens``; return their number.

    The tokens ascend for a wide interval. For a scanned interval they come in row order, *not*
    sorted.

    Args:
        stamp: [V + 1] buffer that needs no clearing if every call has a new ``stamp_value``.
        out_tokens: at least ``allowed_bound`` entries.
    """
    if hi - lo > arrays.wide_threshold:
        wide = find_wide(arrays, lo, hi)
        if wide >= 0:
            begin = arrays.wide_offsets[wide]
            n = arrays.wide_offsets[wide + 1] - begin
            for i in range(n):
                out_tokens[i] = arrays.wide_tokens[begin + i]
            return n
    bwt = arrays.bwt
    stamp[0] = stamp_value  # the terminator is no token
    n = 0
    for row in range(lo, hi):
        symbol = np.int64(bwt[row])
        if symbol < stamp.size and stamp[symbol] != stamp_value:
            stamp[symbol] = stamp_value
            out_tokens[n] = symbol - 1
            n += 1
    return n


@njit(cache=True, nogil=True)  # not a STEP: it sorts
def count_allowed(arrays, lo, hi, tally, out_tokens, out_counts):
    """As ``fill_allowed``, but always ascending, and with the number of times each token follows.

    ``tally`` is a buffer of V + 1 zeros; it is zero again afterwards.
    """
    if hi - lo > arrays.wide_threshold:
        wide = find_wide(arrays, lo, hi)
        if wide >= 0:
            begin = arrays.wide_offsets[wide]
            n = arrays.wide_offsets[wide + 1] - begin
            for i in range(n):
                out_tokens[i] = arrays.wide_tokens[begin + i]
                out_counts[i] = arrays.wide_counts[begin + i]
            return n
    bwt = arrays.bwt
    n = 0
    for row in range(lo, hi):
        symbol = np.int64(bwt[row])
        if symbol >= tally.size:
            continue
        if tally[symbol] == 0 and symbol != 0:
            out_tokens[n] = symbol - 1
            n += 1
        tally[symbol] += 1
    out_tokens[:n].sort()
    for i in range(n):
        symbol = np.int64(out_tokens[i]) + 1
        out_counts[i] = tally[symbol]
        tally[symbol] = 0
    tally[0] = 0
    return n


@njit(**STEP)
def locate_into(arrays, lo, hi, length, out, start):
    """Write the position of each occurrence of a key to ``out[start : start + hi - lo]``.

    The suffix of a row in the reversed text begins with the key's last token, so the key's first
    token is at N - length - suffix_array[row] of the forward text. Row order, not sorted.
    """
    base = arrays.text.size - length
    suffixes = arrays.suffix_array
    for row in range(lo, hi):
        out[start + row - lo] = base - np.int64(suffixes[row])


@njit(**STEP)
def passage_of_position(arrays, position):
    """The passage that holds ``position`` of the forward text (0 <= position < N)."""
    block = position >> HINT_SHIFT if position > 0 else 0
    low, high = np.int64(arrays.passage_hint[block]), np.int64(arrays.passage_hint[block + 1])
    last = arrays.passage_offsets.size - 2
    if not 0 <= low <= high <= last:
        low, high = np.int64(0), np.int64(last)
    while low < high:
        middle = (low + high + 1) >> 1
        if arrays.passage_offsets[middle] <= position:
            low = middle
        else:
            high = middle - 1
    return low


@njit(**STEP)
def extend(arrays, lo, hi, token, depth):
    """`extend_one`; the interval of a key determines its continuations, whatever its depth."""
    return extend_one(arrays, lo, hi, token)


@njit(**STEP)
def allowed(arrays, lo, hi, depth, stamp, stamp_value, out):
    """`fill_allowed`, as for `extend`."""
    return fill_allowed(arrays, lo, hi, stamp, stamp_value, out)


@njit(**STEP)
def position_of_row(arrays, row, length):
    """The position of the key's first token in the forward text; see `locate_into`."""
    return arrays.text.size - length - np.int64(arrays.suffix_array[row])


@njit(**STEP)
def passage_of_row(arrays, row, length):
    """The passage of the key's occurrence in ``row``; -1 if it crosses the end of a passage."""
    start = position_of_row(arrays, row, length)
    block = start >> HINT_SHIFT if start > 0 else 0
    passage = np.int64(arrays.passage_hint[block])
    if np.int64(arrays.passage_hint[block + 1]) - passage <= NEAR:
        # Adding a comparison costs less than a branch that is predicted wrong.
        for _ in range(NEAR):
            passage += np.int64(arrays.passage_offsets[passage + 1] <= start)
    else:
        passage = passage_of_position(arrays, start)
    if start < 0 or start + length > arrays.passage_offsets[passage + 1]:
        return np.int64(-1)
    return passage


@njit(**STEP)
def span_of_passage(arrays, passage):
    """Positions (begin, end) of the passage in the text."""
    return arrays.passage_offsets[passage], arrays.passage_offsets[passage + 1]


@njit(cache=True, nogil=True)  # not a STEP: it returns an array
def passages_of_token(arrays, token):
    """The passages that hold the token if the index lists them, else an empty array."""
    listed = arrays.listed_offsets[token : token + 2]
    return arrays.listed_passages[listed[0] : listed[1]]
