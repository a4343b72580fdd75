"""The raw arrays of a trie of identifiers, in a form that Python and numba kernels share."""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import NDArray


class TrieArrays(NamedTuple):
    """The arrays of a trie over the identifiers of P passages, one for each; all read-only.

    A row is the place of an identifier in the sorted list of all. A node of level d is a prefix of
    d + 1 tokens; it covers the rows of the identifiers that begin with it, which are consecutive.
    M nodes in L levels, L tokens in the longest identifier.
    """

    level_offsets: NDArray[Any]
    """[L + 1] int64: nodes of level d are ``level_offsets[d]:level_offsets[d + 1]``."""
    token: NDArray[Any]
    """[M] uint16 or uint32: the last token of each node's prefix, ascending below one parent."""
    first_row: NDArray[Any]
    """[M] int32: the first row that each node covers, ascending within a level."""
    passage: NDArray[Any]
    """[P] int32: the passage of each row."""
    row: NDArray[Any]
    """[P] int32: the row of each passage."""
    begin: NDArray[Any]
    """[P] int64: the position of each passage's identifier in the token stream."""
