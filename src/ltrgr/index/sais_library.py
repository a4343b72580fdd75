"""PySAIS's sort of integers, through its C function; the Python interface takes only bytes.

PySAIS wraps Yuta Mori's sais-lite. SA-IS replaces substrings by numbers, so its recursion sorts
integers; the extension modules export that function, ``sais_main``. A direct call sorts N token
ids. The Python interface sorts N * width bytes and keeps one position per byte, which takes twice
the time and twice the memory or more.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltrgr.errors import IndexFormatError

KNOWN = "1.1."
"""Releases whose C function has the arguments used here; others go through Python."""

IntegerSort = Callable[[NDArray[Any], NDArray[Any], int], None]
"""(symbols [N], room [N + spare], alphabet) -> None: sorts into ``room[:N]``; one integer type."""


def spare_entries(*, symbols: int, alphabet: int) -> int:
    """Entries after the suffixes in which sais-lite can keep its four bucket tables.

    They save a tenth of the time if the alphabet is small compared with the text; else 0.
    """
    return 4 * alphabet if 8 * alphabet <= symbols else 0


@cache
def integer_sort(bits: int) -> IntegerSort | None:
    """The sort of int32 (``bits`` 32) or int64 sequences; None if PySAIS does not export it."""
    function = _find(bits)
    if function is None:
        return None
    index = ctypes.c_int32 if bits == 32 else ctypes.c_int64
    pointer = ctypes.c_void_p
    function.argtypes = [pointer, pointer, index, index, index, ctypes.c_int]
    function.restype = ctypes.c_int
    dtype = np.dtype(f"int{bits}")

    def sort(symbols: NDArray[Any], room: NDArray[Any], alphabet: int) -> None:
        if not symbols.dtype == room.dtype == dtype or len(room) < len(symbols):
            raise TypeError(f"{symbols.dtype} to {room.dtype}: expected {dtype}, with room for all")
        if not (symbols.flags.c_contiguous and room.flags.c_contiguous):
            raise TypeError("expected contiguous arrays")
        spare = len(room) - len(symbols)
        arguments = (spare, len(symbols), alphabet, dtype.itemsize)
        if function(symbols.ctypes.data, room.ctypes.data, *arguments) != 0:
            raise IndexFormatError(
                f"PySAIS found no memory to sort {len(symbols)} tokens: "
                "build in shards, `ltrgr index index.shard_tokens=...`"
            )

    return sort if _sorts(sort, dtype) else None


def _find(bits: int) -> Any:
    """Load the C library directly: importing PySAIS also imports `tables`, which takes a second."""
    spec = find_spec("PySAIS")
    if spec is None or spec.origin is None or not version("PySAIS").startswith(KNOWN):
        return None
    for suffix in EXTENSION_SUFFIXES:
        path = Path(spec.origin).with_name(f"_sais{bits}{suffix}")
        if path.is_file():
            return getattr(ctypes.CDLL(str(path)), "sais_main", None)
    return None


def _sorts(sort: IntegerSort, dtype: np.dtype[Any]) -> bool:
    """Whether the function sorts a short text: "banana" twice, with symbols beyond one byte."""
    banana = np.array([500, 300, 700, 300, 700, 300] * 2, dtype)
    room = np.empty(12, dtype)
    sort(banana, room, 701)
    letters = banana.tolist()
    return room.tolist() == sorted(range(12), key=lambda start: letters[start:])
