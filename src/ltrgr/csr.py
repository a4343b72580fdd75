"""Rows of different lengths, flat: row i is ``values[offsets[i]:offsets[i + 1]]`` (CSR)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def csr_offsets(lengths: Sequence[int] | NDArray[Any]) -> Ints:
    """[n + 1] where each of n rows begins, and the sum of the lengths.

    >>> csr_offsets([2, 0, 3]).tolist()
    [0, 2, 2, 5]
    """
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, dtype=np.int64, out=offsets[1:])
    return offsets


def csr_owners(offsets: Ints) -> Ints:
    """[N] the row of each value.

    >>> csr_owners(np.array([0, 2, 2, 5])).tolist()
    [0, 0, 2, 2, 2]
    """
    return np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))


def csr_places(lengths: Ints) -> Ints:
    """[N] the place of each value within its row.

    >>> csr_places(np.array([2, 0, 3])).tolist()
    [0, 1, 0, 1, 2]
    """
    offsets = csr_offsets(lengths)
    return np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)


def csr_ranges(first: Ints, lengths: Ints) -> Ints:
    """[N] the ranges ``first[i]:first[i] + lengths[i]``, one after the other.

    With ``first = offsets[rows]`` these are the indices of the values of chosen rows.

    >>> csr_ranges(np.array([7, 4]), np.array([2, 3])).tolist()
    [7, 8, 4, 5, 6]
    """
    return np.repeat(first, lengths) + csr_places(lengths)


def row_mask(lengths: NDArray[Any]) -> NDArray[np.bool_]:
    """[n, L] True at the values of each row, False at padding; L is the longest row, at least 1.

    >>> row_mask(np.array([2, 1])).tolist()
    [[True, True], [True, False]]
    """
    return np.asarray(np.arange(lengths.max(initial=1)) < lengths[:, None])


def pad_rows(values: NDArray[Any], lengths: NDArray[Any], *, fill: int) -> Ints:
    """[n, L] the rows as a matrix, padded with ``fill`` at their ends.

    >>> pad_rows(np.array([5, 6, 7]), np.array([2, 1]), fill=-1).tolist()
    [[5, 6], [7, -1]]
    """
    mask = row_mask(lengths)
    padded = np.full(mask.shape, fill, dtype=np.int64)
    padded[mask] = values
    return padded
