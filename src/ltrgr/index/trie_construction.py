"""From the identifiers of a corpus to the arrays of a trie, one level after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltrgr.csr import csr_offsets
from ltrgr.errors import IndexFormatError
from ltrgr.index.trie_arrays import TrieArrays

UNIQUE = "the docids of a corpus have to differ and to end with a marker; correct their view"


def construct_trie(
    *, tokens: NDArray[Any], begins: NDArray[Any], ends: NDArray[Any], vocabulary_size: int
) -> TrieArrays:
    """The trie of the identifiers ``tokens[begins[p]:ends[p]]``.

    Raises:
        IndexFormatError: no identifier, an empty one, one that is equal to or the begin of another
            one, or a token id out of range.
    """
    _check_spans(tokens, begins, ends)
    columns = [_column(tokens, begins + depth, ends) for depth in range(int((ends - begins).max()))]
    for column in columns:
        if column.max() >= vocabulary_size:
            raise IndexFormatError(
                f"token id {column.max()} in an identifier: expected ids below {vocabulary_size}; "
                "give `ltrgr index` the tokenizer that wrote these ids"
            )
    order = np.lexsort(columns[::-1])
    nodes, rows = [], []
    starts = np.zeros(len(order), np.bool_)
    starts[0] = True
    for column in columns:
        sorted_column = column[order]
        _expect_no_prefix(sorted_column, starts, order)
        # a node of this level starts where this token or an earlier one differs from the row above
        starts[1:] |= sorted_column[1:] != sorted_column[:-1]
        rows.append(np.flatnonzero(starts & (sorted_column >= 0)))
        nodes.append(sorted_column[rows[-1]])
    if not starts.all():
        raise _not_unique(order, int(np.argmin(starts)))
    row = np.empty(len(order), np.int32)
    row[order] = np.arange(len(order), dtype=np.int32)
    narrow = np.uint16 if vocabulary_size <= 2**16 else np.uint32
    return TrieArrays(
        level_offsets=csr_offsets([len(level) for level in nodes]),
        token=np.concatenate(nodes).astype(narrow),
        first_row=np.concatenate(rows).astype(np.int32),
        passage=order.astype(np.int32),
        row=row,
        begin=begins.astype(np.int64),
    )


def _check_spans(tokens: NDArray[Any], begins: NDArray[Any], ends: NDArray[Any]) -> None:
    if not 0 < len(begins) == len(ends) < 2**31:
        raise IndexFormatError(
            f"{len(begins)} begins and {len(ends)} ends of identifiers: expected one of each for "
            "every passage, at least one and fewer than 2^31"
        )
    wrong = np.flatnonzero((begins < 0) | (begins >= ends) | (ends > len(tokens)))
    if len(wrong):
        i = int(wrong[0])
        raise IndexFormatError(
            f"the identifier of passage {i} runs from {begins[i]} to {ends[i]}: expected at least "
            f"one token, within 0 to {len(tokens)}"
        )


def _column(tokens: NDArray[Any], places: NDArray[Any], ends: NDArray[Any]) -> NDArray[np.int32]:
    """[P] the token of each identifier at its place, -1 after its end."""
    held = tokens[np.minimum(places, ends - 1)].astype(np.int64)
    if held.min() < 0:
        raise IndexFormatError(f"token id {held.min()} in an identifier: expected 0 or more")
    return np.where(places < ends, held, -1).astype(np.int32)


def _expect_no_prefix(
    column: NDArray[np.int32], starts: NDArray[np.bool_], order: NDArray[np.int64]
) -> None:
    """Raise IndexFormatError if an identifier ended in the level above and the next one goes on."""
    prefix = ~starts[1:] & (column[:-1] < 0) & (column[1:] >= 0)
    if prefix.any():
        raise _not_unique(order, int(np.argmax(prefix)) + 1)


def _not_unique(order: NDArray[np.int64], row: int) -> IndexFormatError:
    return IndexFormatError(
        f"the identifier of passage {order[row - 1]} is equal to, or the begin of, that of passage "
        f"{order[row]}: {UNIQUE}"
    )
