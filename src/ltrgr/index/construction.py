"""From token ids to the arrays of an index, one array after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltrgr.compiled import njit
from ltrgr.errors import IndexFormatError
from ltrgr.index.arrays import HINT_SHIFT, SAMPLE_SHIFT, IndexArrays
from ltrgr.index.heartbeat import run_reporting
from ltrgr.index.postings import listed_passages
from ltrgr.index.suffix_array import row_dtype, suffix_array
from ltrgr.index.wide import wide_intervals

Progress = Callable[[str, float], None]
"""Called with the name of the current step and the estimated fraction of the time that is over."""

Keep = Callable[[str, NDArray[Any]], None]
"""Called with the name of a finished array in `IndexArrays`, and the array."""

SMALL = (
    *("samples", "first", "passage_offsets", "passage_hint", "listed_offsets", "listed_passages"),
    *("wide_lo", "wide_hi", "wide_offsets", "wide_tokens", "wide_counts"),
)
"""The small arrays; they are finished last, after the four large ones."""

SORTED_PER_SECOND = 6e6
"""Tokens per second on one core; estimates the progress of the suffix sort, which reports none."""

SORT_SHARE = 0.77
"""Fraction of a build's processor time that the suffix array takes at 100 M tokens (0.8 at 30 M).
The fractions of the later steps in `construct` were measured there too."""


def check_corpus(*, tokens: NDArray[Any], offsets: NDArray[Any], vocabulary_size: int) -> None:
    """Raise `IndexFormatError` unless the corpus satisfies the conditions of `FMIndex.build`."""
    if tokens.ndim != 1 or offsets.ndim != 1 or {tokens.dtype.kind, offsets.dtype.kind} - {*"iu"}:
        raise IndexFormatError(
            f"tokens are {tokens.dtype}{list(tokens.shape)}, offsets {offsets.dtype}"
            f"{list(offsets.shape)}: expected one-dimensional integer arrays"
        )
    if len(tokens) == 0:
        raise IndexFormatError("the corpus has no tokens: expected at least one passage")
    if not 0 < vocabulary_size < 2**31 - 1:
        raise IndexFormatError(f"vocabulary_size is {vocabulary_size}: expected 1 to 2^31 - 2")
    smallest, largest = int(tokens.min()), int(tokens.max())
    if smallest < 0 or largest >= vocabulary_size:
        wrong = smallest if smallest < 0 else largest
        raise IndexFormatError(
            f"token id {wrong} at position {int(np.argmax(tokens == wrong))}: expected 0 <= id < "
            f"{vocabulary_size}; give `ltrgr index` the tokenizer that wrote these ids"
        )
    if len(offsets) > 2**31:
        raise IndexFormatError(
            f"{len(offsets) - 1} passages: expected fewer than 2^31, the most of one index; "
            "build in shards, `ltrgr index index.shard_tokens=...`"
        )
    if len(offsets) < 2 or offsets[0] != 0 or offsets[-1] != len(tokens):
        ends = f"from {offsets[0]} to {offsets[-1]}" if len(offsets) else "empty"
        raise IndexFormatError(
            f"passage offsets are {ends}: expected passages + 1 of them, from 0 to {len(tokens)}"
        )
    backwards = np.flatnonzero(offsets[1:] <= offsets[:-1])
    if len(backwards):
        i = int(backwards[0])
        raise IndexFormatError(
            f"passage {i} runs from {offsets[i]} to {offsets[i + 1]}: expected at least one token "
            f"({len(backwards)} such passages); drop empty passages before `ltrgr index`"
        )


def construct(
    *,
    tokens: NDArray[Any],
    offsets: NDArray[Any],
    vocabulary_size: int,
    wide_threshold: int,
    keep: Keep,
    progress: Progress,
    rows: np.dtype[Any] | None = None,
) -> None:
    """Build the arrays of an index and pass each to ``keep`` as soon as it is complete.

    ``keep`` can write an array and release its memory while the next one is computed.

    Args:
        tokens, offsets, vocabulary_size: a corpus that `check_corpus` accepts.
        wide_threshold: rows above which an interval's next tokens are listed.
        rows: integer type of rows and positions; None: the smallest one (tests ask for int64).
    """
    n = len(tokens)
    row_type = row_dtype(n + 1) if rows is None else np.dtype(rows)
    progress("suffix array", 0.0)
    suffixes = run_reporting(
        lambda: suffix_array(tokens[::-1], rows=row_type),
        expected_seconds=n / SORTED_PER_SECOND,
        report=lambda share: progress("suffix array", SORT_SHARE * share),
    )
    keep("suffix_array", suffixes)
    progress("Burrows-Wheeler transform", SORT_SHARE)
    text = tokens.astype(np.uint16 if vocabulary_size + 1 <= 2**16 else np.uint32)
    keep("text", text)
    bwt = _transform(suffixes, text)
    del suffixes
    keep("bwt", bwt)
    progress("occurrence lists", 0.88)
    first = _first_rows(text, vocabulary_size)
    occurrences = _group_rows(bwt, first, np.empty(len(bwt), row_type))
    keep("occurrences", occurrences)
    progress("passages of rare tokens", 0.92)
    passage_offsets = offsets.astype(np.int64)
    listed_offsets, passages = listed_passages(
        text=text, passage_offsets=passage_offsets, first=first
    )
    progress("wide intervals", 0.95)
    no_rows = np.empty(0, np.int64)
    arrays = IndexArrays(
        bwt=bwt,
        occurrences=occurrences,
        samples=occurrences[:: 1 << SAMPLE_SHIFT].copy(),
        first=first,
        suffix_array=np.empty(0, row_type),  # its memory may be released by now
        text=text,
        passage_offsets=passage_offsets,
        passage_hint=_passage_hint(offsets),
        listed_offsets=listed_offsets,
        listed_passages=passages,
        wide_lo=no_rows,
        wide_hi=no_rows,
        wide_offsets=np.zeros(1, np.int64),
        wide_tokens=np.empty(0, np.int32),
        wide_counts=np.empty(0, row_type),
        wide_threshold=wide_threshold,
    )
    arrays = wide_intervals(arrays)
    for name in SMALL:
        keep(name, getattr(arrays, name))


def _first_rows(text: NDArray[Any], vocabulary_size: int) -> NDArray[np.int64]:
    """[V + 2] number of rows that begin with a smaller symbol; the terminator has row 0."""
    first = np.ones(vocabulary_size + 2, np.int64)
    first[0] = 0
    histogram = np.zeros(vocabulary_size, np.int64)
    _count(text, histogram)
    first[2:] += np.cumsum(histogram)
    return first


def _passage_hint(offsets: NDArray[Any]) -> NDArray[np.int32]:
    """The passage at every 128th position, and the passage at the last position."""
    n = int(offsets[-1])
    positions = np.append(np.arange(0, n, 1 << HINT_SHIFT), n - 1)
    return (np.searchsorted(offsets, positions, side="right") - 1).astype(np.int32)


@njit(cache=True, nogil=True)
def _count(text, histogram):  # type: ignore[no-untyped-def]
    """As np.bincount, which would copy the text as int64."""
    for i in range(text.size):
        histogram[text[i]] += 1


@njit(cache=True, nogil=True)
def _transform(suffixes, text):  # type: ignore[no-untyped-def]
    """The Burrows-Wheeler transform: the symbol before each suffix of the reversed text.

    It is the symbol that follows in the forward text; reversed position s - 1 is forward position
    N - s.
    """
    bwt = np.zeros(suffixes.size, text.dtype)
    for row in range(suffixes.size):
        if suffixes[row] > 0:
            bwt[row] = text[text.size - np.int64(suffixes[row])] + 1
    return bwt


@njit(cache=True, nogil=True)
def _group_rows(bwt, first, out):  # type: ignore[no-untyped-def]
    """Stable counting sort of the rows by symbol, hence ascending within a symbol."""
    cursor = first.copy()
    for row in range(bwt.size):
        symbol = np.int64(bwt[row])
        out[cursor[symbol]] = row
        cursor[symbol] += 1
    return out
