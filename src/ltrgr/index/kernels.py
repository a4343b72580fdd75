"""Compiled steps for one interval, to be called from the compiled loops of any room.

``arrays`` is an `IndexArrays`. An interval [lo, hi) holds one row per occurrence of a key.
Nothing here checks its rows and positions: they come from an index, not from a user. But a file
may rot while it is mapped, so symbols above V are passed over and passages stay below P: a wrong
answer can be found out, a process that is gone cannot.

numba's cache looks at the caller's file only: after a change here, remove the ``*.nbi`` files of
the rooms that call these steps, or they go on using the old ones.
"""

# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

import numpy as np
from numba import njit

from ltrgr.index.arrays import HINT_SHIFT, SAMPLE_SHIFT

# Without _nrt=False every call of a step counts references to all arrays of the tuple, with atomic
# operations: half the time of `extend_one`. Steps allocate nothing, so there is nothing to count.
STEP = {"cache": True, "nogil": True, "_nrt": False}


@njit(**STEP)
def lower_bound(occurrences, samples, left, right, row):
    """The first i in [left, right) with ``occurrences[i] >= row``, else ``right``.

    A long range is first narrowed to the 64 entries between two samples.
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
    """The interval of the key followed by ``token``; lo == hi where that does not occur.

    LF mapping: first[c] + rank(c, row), and a symbol's group in ``occurrences`` begins at
    first[c] too, so that the position found by the search is the new row itself. Any integer
    may be asked for: a token id outside the vocabulary occurs nowhere.
    """
    if hi <= lo or token < 0 or token >= arrays.first.size - 2:
        return np.int64(0), np.int64(0)
    begin, end = arrays.first[token + 1], arrays.first[token + 2]
    low = lower_bound(arrays.occurrences, arrays.samples, begin, end, lo)
    # hi - lo rows hold at most that many occurrences: a rare key's second search is short
    end = min(end, low + (hi - lo))
    return low, lower_bound(arrays.occurrences, arrays.samples, low, end, hi)


@njit(**STEP)
def find_wide(arrays, lo, hi):
    """The place of [lo, hi) among the wide intervals, or -1."""
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
    """At most how many distinct tokens follow: the room that ``fill_allowed`` needs."""
    if hi - lo > arrays.wide_threshold:
        wide = find_wide(arrays, lo, hi)
        if wide >= 0:
            return arrays.wide_offsets[wide + 1] - arrays.wide_offsets[wide]
    return min(max(hi - lo, 0), arrays.first.size - 2)


@njit(**STEP)
def fill_allowed(arrays, lo, hi, stamp, stamp_value, out_tokens):
    """Write the distinct tokens that follow the key to ``out_tokens``; return how many.

    Ascending for the wide intervals; for scanned ones in the order of the rows, which is *not*
    sorted. ``stamp`` is scratch of V + 1 integers, reusable without clearing as long as every
    call brings another ``stamp_value``. ``out_tokens`` needs ``allowed_bound`` entries.
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
    """As ``fill_allowed``, always ascending, with how often each token follows.

    ``tally`` is scratch of V + 1 zeros, and zero again afterwards.
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
    """Write where each occurrence of a key of ``length`` tokens begins in the forward text.

    A row's suffix of the reversed text begins with the key's last token, hence
    N - length - suffix_array[row]. In row order, not sorted; ``out[start : start + hi - lo]``.
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
