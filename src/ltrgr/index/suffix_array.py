"""The suffix array of an integer sequence, through PySAIS, which sorts bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ltrgr.index.errors import IndexFormatError


def row_dtype(rows: int) -> np.dtype[Any]:
    """The integer type that numbers ``rows`` rows: uint32 where it can, else int64."""
    return np.dtype(np.uint32 if rows < 2**32 else np.int64)


def suffix_array(symbols: NDArray[Any]) -> NDArray[Any]:
    """Where each suffix of ``symbols + [terminator]`` begins, in lexicographic order.

    The terminator is smaller than every symbol, so that row 0 is always N = ``len(symbols)``.

    PySAIS (SA-IS; Nong, Zhang and Chan 2009) sorts bytes. Integers of a fixed width, most
    significant byte first, compare like their bytes, so that the aligned positions of the byte
    suffix array, divided by the width, are the suffix array of the integers.

    Args:
        symbols: [N] integers from 0 to 2^32 - 1. Two bytes are used where they fit, else four:
            the peak is 4 + 5 * width bytes per symbol above the input.

    Returns:
        [N + 1] uint32, or int64 from 2^32 - 1 symbols on.

    Raises:
        IndexFormatError: a symbol is out of range.

    >>> suffix_array(np.array([2, 1, 2, 1]))
    array([4, 3, 1, 2, 0], dtype=uint32)
    """
    out = np.empty(len(symbols) + 1, dtype=row_dtype(len(symbols) + 1))
    out[0] = len(symbols)
    if len(symbols) == 0:
        return out
    smallest, largest = int(symbols.min()), int(symbols.max())
    if smallest < 0 or largest >= 2**32:
        raise IndexFormatError(
            f"symbols from {smallest} to {largest}: expected 0 <= symbol < 2^32; "
            "check the token ids that `ltrgr index` was given"
        )
    width = 2 if largest < 2**16 else 4
    # PySAIS imports `tables`, which takes a second: only a build should pay for it.
    from PySAIS import sais

    _take_aligned(sais(symbols.astype(f">u{width}").tobytes(), reduce_size=False), width, out)
    return out


@njit(cache=True, nogil=True)
def _take_aligned(byte_suffixes, width, out):  # type: ignore[no-untyped-def]
    """One pass instead of ``sb[sb % width == 0] // width``, which holds three more arrays."""
    row = 1
    shift = 1 if width == 2 else 2
    for i in range(byte_suffixes.size):
        position = byte_suffixes[i]
        if position & (width - 1) == 0:
            out[row] = position >> shift
            row += 1
