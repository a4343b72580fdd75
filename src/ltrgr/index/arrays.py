"""The raw arrays of an index, in the one form that both Python and numba kernels take."""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import NDArray

SAMPLE_SHIFT = 6
"""Every 64th entry of the occurrence lists is repeated in ``samples``: a search reads those first,
so that its upper levels stay in cache (64 entries are four cache lines)."""

HINT_SHIFT = 7
"""``passage_hint`` holds one entry per 128 positions: about one passage, so a search is short."""

WIDE_THRESHOLD = 4096
"""Rows from which scanning an interval costs more than looking its list up (speed.md)."""


class IndexArrays(NamedTuple):
    """The arrays of an index over N tokens, P passages and V token ids, all read-only.

    Symbols are token ids plus one; 0 is the single terminator. Rows are those of the suffix
    array of the *reversed* text, hence N + 1 of them. ``row`` below means uint32, or int64 from
    2^32 - 1 tokens on.
    """

    bwt: NDArray[Any]
    """[N + 1] uint16 or uint32: the symbol that follows the key, in forward reading."""
    occurrences: NDArray[Any]
    """[N + 1] row: the rows of each symbol in ``bwt``, grouped by symbol, ascending."""
    samples: NDArray[Any]
    """[ceil((N + 1) / 64)] row: ``occurrences[::64]``."""
    first: NDArray[Any]
    """[V + 2] int64: where a symbol's group begins, both in ``occurrences`` and among the rows."""
    suffix_array: NDArray[Any]
    """[N + 1] row: where in the reversed text the suffix of each row begins."""
    text: NDArray[Any]
    """[N] uint16 or uint32: the token ids, forward."""
    passage_offsets: NDArray[Any]
    """[P + 1] int64: where each passage begins in ``text``; the last entry is N."""
    passage_hint: NDArray[Any]
    """[ceil(N / 128) + 1] int32: the passage at position 128 j (at N - 1 for the last entry)."""
    listed_offsets: NDArray[Any]
    """[V + 1] int64: each token's part of ``listed_passages``; empty for a frequent token."""
    listed_passages: NDArray[Any]
    """[sum] int32: the distinct passages that hold a rare token, ascending."""
    wide_lo: NDArray[Any]
    """[W] int64: first row of each wide interval, ordered by (lo, hi)."""
    wide_hi: NDArray[Any]
    """[W] int64: one past its last row."""
    wide_offsets: NDArray[Any]
    """[W + 1] int64: its part of ``wide_tokens`` and ``wide_counts``."""
    wide_tokens: NDArray[Any]
    """[sum] int32: the distinct tokens that follow, ascending, terminator excluded."""
    wide_counts: NDArray[Any]
    """[sum] row: how often each follows."""
    wide_threshold: int
    """Intervals of more rows than this may be found in the wide lists."""
