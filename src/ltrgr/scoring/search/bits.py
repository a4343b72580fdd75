"""The lowest bit of a 64-bit word; such words hold sets of small integers (compiled)."""

# To numba, np.int64 and int are one type.
# mypy: disable-error-code="assignment,return-value"
from __future__ import annotations

import numpy as np

from ltrgr.compiled import njit
from ltrgr.index.kernels import STEP

DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
"""A 64-bit de Bruijn sequence: its 64 windows of 6 bits all differ (Leiserson et al. 1998)."""

PLACES = np.zeros(64, np.uint8)
for _place in range(64):
    PLACES[((int(DE_BRUIJN) << _place) & (2**64 - 1)) >> 58] = _place


@njit(**STEP)
def lowest_bit(word: int) -> int:
    """The number (0 to 63) of the lowest set bit of the uint64 ``word``; ``word`` must not be 0."""
    alone = word & (~word + np.uint64(1))
    return np.int64(PLACES[(alone * DE_BRUIJN) >> np.uint64(58)])
