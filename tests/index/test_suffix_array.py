from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltrgr.index.errors import IndexFormatError
from ltrgr.index.suffix_array import row_dtype, suffix_array


def sorted_suffixes(symbols: list[int]) -> list[int]:
    """Python compares lists as suffixes are to be compared: a prefix comes first."""
    return sorted(range(len(symbols) + 1), key=lambda start: symbols[start:])


def test_banana() -> None:
    # $, a$, ana$, anana$, banana$, na$, nana$
    banana = np.array([2, 1, 3, 1, 3, 1])
    assert suffix_array(banana).tolist() == [6, 5, 3, 1, 0, 4, 2]


def test_the_most_significant_byte_decides() -> None:
    # 256 = 01 00, 1 = 00 01, 255 = 00 FF: in little-endian order 256 would come first
    assert suffix_array(np.array([256, 1, 255])).tolist() == [3, 1, 2, 0]
    # 65536 needs four bytes: 00 01 00 00
    assert suffix_array(np.array([65536, 1, 65535])).tolist() == [3, 1, 2, 0]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([0, 1, 255, 256, 65535]), max_size=60))
def test_two_bytes_equal_sorting(symbols: list[int]) -> None:
    assert suffix_array(np.array(symbols, np.uint16)).tolist() == sorted_suffixes(symbols)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([0, 1, 256, 65536, 2**24, 2**32 - 1]), max_size=60))
def test_four_bytes_equal_sorting(symbols: list[int]) -> None:
    assert suffix_array(np.array(symbols, np.uint32)).tolist() == sorted_suffixes(symbols)


def test_rows_that_uint32_cannot_number_are_int64() -> None:
    assert row_dtype(2**32 - 1) == np.uint32
    assert row_dtype(2**32) == np.int64


@pytest.mark.parametrize("symbols", [[0, -1], [2**32]])
def test_symbols_out_of_range(symbols: list[int]) -> None:
    with pytest.raises(IndexFormatError, match=r"expected 0 <= symbol < 2\^32"):
        suffix_array(np.array(symbols, np.int64))
