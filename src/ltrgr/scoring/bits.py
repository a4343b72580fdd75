"""Sets of small integers as words of 64 bits (compiled)."""

# To numba, np.int64 and int are one type.
# mypy: disable-error-code="assignment,return-value"
from __future__ import annotations

import numpy as np
from numba import njit

from ltrgr.index.kernels import STEP

DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
"""A 64-bit de Bruijn sequence: every window of 6 bits is another number (Leiserson et al. 1998)."""

PLACES = np.zeros(64, np.uint8)
for _place in range(64):
    PLACES[((int(DE_BRUIJN) << _place) & (2**64 - 1)) >> 58] = _place


@njit(**STEP)
def lowest_bit(word: int) -> int:
    """The number of the lowest bit that is set in the uint64 ``word``, which is not 0."""
    alone = word & (~word + np.uint64(1))
    return np.int64(PLACES[(alone * DE_BRUIJN) >> np.uint64(58)])
