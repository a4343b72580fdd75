"""The raw arrays of an index, in a form that Python and numba kernels share."""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import NDArray

SAMPLE_SHIFT = 6
"""``samples`` repeats every 64th entry of the occurrence lists (64 entries are four cache lines). A
search reads the samples first, so that its upper levels stay in cache."""

HINT_SHIFT = 7
"""``passage_hint`` has one entry per 128 positions, about one passage: a search in it is short."""

WIDE_THRESHOLD = 4096
"""Rows above which scanning an interval costs more than looking its list up (docs/speed.md)."""


class IndexArrays(NamedTuple):
    """The arrays of an index over N tokens, P passages and V token ids, all read-only.

    A symbol is a token id plus one; 0 is the single terminator. The N + 1 rows are those of the
    suffix array of the *reversed* text. The type ``row`` below is uint32, or int64 from 2^32 - 1
    tokens on.
    """

    bwt: NDArray[Any]
    """[N + 1] uint16 or uint32: the symbol that follows each row's key in the forward text."""
    occurrences: NDArray[Any]
    """[N + 1] row: the rows of each symbol in ``bwt``, grouped by symbol, ascending."""
    samples: NDArray[Any]
    """[ceil((N + 1) / 64)] row: ``occurrences[::64]``."""
    first: NDArray[Any]
    """[V + 2] int64: first place of each symbol's group, in ``occurrences`` and among the rows."""
    suffix_array: NDArray[Any]
    """[N + 1] row: begin of each row's suffix in the reversed text."""
    text: NDArray[Any]
    """[N] uint16 or uint32: the token ids, forward."""
    passage_offsets: NDArray[Any]
    """[P + 1] int64: begin of each passage in ``text``; the last entry is N."""
    passage_hint: NDArray[Any]
    """[ceil(N / 128) + 1] int32: the passage at position 128 j (at N - 1 for the last entry)."""
    listed_offsets: NDArray[Any]
    """[V + 1] int64: each token's range in ``listed_passages``; empty for a frequent token."""
    listed_passages: NDArray[Any]
    """[sum] int32: postings lists, the distinct passages of each rare token, ascending."""
    wide_lo: NDArray[Any]
    """[W] int64: first row of each wide interval, ordered by (lo, hi)."""
    wide_hi: NDArray[Any]
    """[W] int64: one past its last row."""
    wide_offsets: NDArray[Any]
    """[W + 1] int64: each interval's range in ``wide_tokens`` and ``wide_counts``."""
    wide_tokens: NDArray[Any]
    """[sum] int32: the distinct tokens that follow each interval, ascending, no terminator."""
    wide_counts: NDArray[Any]
    """[sum] row: how often each token follows."""
    wide_threshold: int
    """Intervals with more rows than this may have a wide list."""
