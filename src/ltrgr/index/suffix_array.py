"""The suffix array of an integer sequence, sorted by PySAIS."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltrgr.compiled import njit
from ltrgr.errors import IndexFormatError
from ltrgr.index.sais_library import IntegerSort, integer_sort, spare_entries


def row_dtype(rows: int) -> np.dtype[Any]:
    """The integer type for ``rows`` rows: uint32 if it suffices, else int64."""
    return np.dtype(np.uint32 if rows < 2**32 else np.int64)


def suffix_array(symbols: NDArray[Any], *, rows: np.dtype[Any] | None = None) -> NDArray[Any]:
    """The begins of all suffixes of ``symbols + [terminator]``, in lexicographic order.

    The terminator is smaller than every symbol, so row 0 is always N = ``len(symbols)``.

    PySAIS (SA-IS; Nong, Zhang and Chan 2009) sorts the integers directly (`sais_library`), with
    32-bit positions below 2^31 symbols and 64-bit positions beyond; the peak above the input is 8
    or 16 bytes per symbol. If PySAIS does not export that sort, or the alphabet is larger than the
    text, it sorts their bytes (`suffix_array_of_bytes`).

    Args:
        symbols: [N] integers from 0 to 2^32 - 1.
        rows: uint32 or int64, the type of the result; None: `row_dtype`. int64 also selects the
            64-bit sort, so that tests can reach it at any size.

    Returns:
        [N + 1] uint32, or int64 from 2^32 - 1 symbols on.

    Raises:
        IndexFormatError: a symbol is out of range, or memory does not suffice.

    >>> suffix_array(np.array([2, 1, 2, 1]))
    array([4, 3, 1, 2, 0], dtype=uint32)
    """
    n = len(symbols)
    dtype = row_dtype(n + 1) if rows is None else np.dtype(rows)
    alphabet = _alphabet(symbols)
    room = n + 1 + spare_entries(symbols=n, alphabet=alphabet)
    bits = 32 if room < 2**31 and dtype == np.uint32 else 64
    sort = integer_sort(bits) if 0 < alphabet <= n + 2**16 else None
    if sort is None:
        return suffix_array_of_bytes(symbols, rows=dtype)
    return _suffix_array_of_integers(symbols, alphabet, sort, np.empty(room, f"int{bits}"), dtype)


def suffix_array_of_bytes(
    symbols: NDArray[Any], *, rows: np.dtype[Any] | None = None
) -> NDArray[Any]:
    """As `suffix_array`, through PySAIS's Python interface.

    Big-endian integers of a fixed width compare like their bytes. The aligned positions of the byte
    suffix array, divided by the width, are therefore the suffix array of the integers. The width
    is two bytes if they suffice, else four. The peak above the input is 4 + 6 * width bytes per
    symbol, and 4 + 10 * width from 2^30 bytes on.
    """
    out = np.empty(len(symbols) + 1, row_dtype(len(symbols) + 1) if rows is None else rows)
    out[0] = len(symbols)
    if len(symbols) == 0:
        return out
    width = 2 if _alphabet(symbols) <= 2**16 else 4
    # PySAIS imports `tables`, which takes a second, so it is imported only here.
    from PySAIS import sais

    _take_aligned(sais(symbols.astype(f">u{width}").tobytes(), reduce_size=False), width, out)
    return out


def _alphabet(symbols: NDArray[Any]) -> int:
    """1 + the largest symbol; 0 for no symbols."""
    if len(symbols) == 0:
        return 0
    smallest, largest = int(symbols.min()), int(symbols.max())
    if smallest < 0 or largest >= 2**32:
        raise IndexFormatError(
            f"symbols from {smallest} to {largest}: expected 0 <= symbol < 2^32; "
            "check the token ids that `ltrgr index` was given"
        )
    return largest + 1


def _suffix_array_of_integers(
    symbols: NDArray[Any],
    alphabet: int,
    sort: IntegerSort,
    room: NDArray[Any],
    dtype: np.dtype[Any],
) -> NDArray[Any]:
    """Sort into ``room[1:]`` and return the positions as ``dtype``, in the memory of ``room``."""
    rows = len(symbols) + 1
    room[0] = len(symbols)
    sort(np.ascontiguousarray(symbols, room.dtype), room[1:], alphabet)
    if dtype.itemsize == room.itemsize:
        return room[:rows].view(dtype)
    _narrow(room, room.view(dtype))
    room.resize((rows + 1) // 2, refcheck=False)  # releases the other half
    return room.view(dtype)[:rows]


@njit(cache=True, nogil=True)
def _narrow(positions, out):  # type: ignore[no-untyped-def]
    """Copy to a narrower type in the same memory: no entry is overwritten before it is read."""
    for i in range(positions.size):
        out[i] = positions[i]


@njit(cache=True, nogil=True)
def _take_aligned(byte_suffixes, width, out):  # type: ignore[no-untyped-def]
    """``sb[sb % width == 0] // width`` in one pass, without its three temporary arrays."""
    row = 1
    shift = 1 if width == 2 else 2
    for i in range(byte_suffixes.size):
        position = byte_suffixes[i]
        if position & (width - 1) == 0:
            out[row] = position >> shift
            row += 1
