from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltrgr.errors import IndexFormatError
from ltrgr.index import suffix_array as room
from ltrgr.index.sais_library import integer_sort, spare_entries
from ltrgr.index.suffix_array import row_dtype, suffix_array, suffix_array_of_bytes

Way = Callable[[np.ndarray], np.ndarray]


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


WAYS = [
    suffix_array,
    lambda symbols: suffix_array(symbols, rows=np.dtype(np.int64)),
    suffix_array_of_bytes,
]


@pytest.mark.parametrize("way", WAYS, ids=["int32", "int64", "bytes"])
@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([0, 1, 255, 256, 65535]), max_size=60))
def test_two_bytes_equal_sorting(way: Way, symbols: list[int]) -> None:
    assert way(np.array(symbols, np.uint16)).tolist() == sorted_suffixes(symbols)


@pytest.mark.parametrize("way", WAYS, ids=["int32", "int64", "bytes"])
@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([0, 1, 256, 65536, 2**24, 2**32 - 1]), max_size=60))
def test_four_bytes_equal_sorting(way: Way, symbols: list[int]) -> None:
    assert way(np.array(symbols, np.uint32)).tolist() == sorted_suffixes(symbols)


@pytest.mark.parametrize("alphabet", [2, 200, 300, 70_000])
def test_all_ways_agree_on_a_long_text_with_repeats(alphabet: int) -> None:
    # 8 * alphabet <= symbols decides whether sais-lite gets room for its bucket tables
    random = np.random.default_rng(alphabet)
    part = random.integers(0, alphabet, 2_500).astype(np.int32)
    part[0] = alphabet - 1
    text = np.concatenate([part, part[500:1500], part, part[::-1]])
    expected = suffix_array_of_bytes(text).tolist()
    assert suffix_array(text).tolist() == expected
    assert suffix_array(text, rows=np.dtype(np.int64)).tolist() == expected
    assert spare_entries(symbols=len(text), alphabet=alphabet) == (
        4 * alphabet if alphabet in (2, 200, 300) else 0
    )


def test_the_library_shows_its_integers() -> None:
    # else every build takes twice the time: a PySAIS that hides them has to be noticed
    assert integer_sort(32) is not None
    assert integer_sort(64) is not None


def test_a_library_that_hides_them_is_asked_for_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "integer_sort", lambda bits: None)
    assert suffix_array(np.array([2, 1, 3, 1, 3, 1])).tolist() == [6, 5, 3, 1, 0, 4, 2]


@pytest.mark.parametrize("rows", [9, 2**31, 2**31 + 5])
def test_sixty_four_bits_begin_where_thirty_two_end(
    monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    """Past 2^31 symbols positions are sorted as int64 and given as uint32 up to 2^32."""
    asked: list[int] = []
    monkeypatch.setattr(room, "spare_entries", lambda **_: rows - 7)
    monkeypatch.setattr(room, "integer_sort", asked.append)
    monkeypatch.setattr(room.np, "empty", lambda *_: None)
    monkeypatch.setattr(room, "suffix_array_of_bytes", lambda symbols, rows: rows)
    assert suffix_array(np.array([2, 1, 3, 1, 3, 1])) == np.uint32
    assert asked == [32 if rows < 2**31 else 64]


def test_positions_are_narrowed_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    sort, n = integer_sort(64), 1001
    text = np.random.default_rng(0).integers(0, 5, n)
    found = room._suffix_array_of_integers(
        text, 5, sort, np.empty(n + 21, np.int64), np.dtype(np.uint32)
    )
    assert found.dtype == np.uint32
    assert found.tolist() == sorted_suffixes(text.tolist())


def test_rows_that_uint32_cannot_number_are_int64() -> None:
    assert row_dtype(2**32 - 1) == np.uint32
    assert row_dtype(2**32) == np.int64


@pytest.mark.parametrize("symbols", [[0, -1], [2**32]])
def test_symbols_out_of_range(symbols: list[int]) -> None:
    with pytest.raises(IndexFormatError, match=r"expected 0 <= symbol < 2\^32"):
        suffix_array(np.array(symbols, np.int64))
