"""Rows of different lengths; every expected value is counted on the page."""

from __future__ import annotations

import numpy as np

from ltrgr.csr import csr_offsets, csr_owners, csr_places, csr_ranges, pad_rows, row_mask

# The rows (10, 11), (), (12, 13, 14), (15).
VALUES = np.array([10, 11, 12, 13, 14, 15])
LENGTHS = np.array([2, 0, 3, 1])
OFFSETS = np.array([0, 2, 2, 5, 6])
NOTHING = np.zeros(0, np.int64)


def test_offsets_are_the_sums_of_the_lengths_before() -> None:
    assert csr_offsets(LENGTHS).tolist() == OFFSETS.tolist()
    assert csr_offsets([2, 0, 3, 1]).tolist() == OFFSETS.tolist()
    assert csr_offsets(LENGTHS.astype(np.int32)).dtype == np.int64
    assert csr_offsets([2**31 - 1, 2]).tolist() == [0, 2**31 - 1, 2**31 + 1]


def test_a_mask_counts_its_true_values() -> None:
    assert csr_offsets(np.array([True, False, True])).tolist() == [0, 1, 1, 2]


def test_no_rows_have_one_offset_and_no_values() -> None:
    assert csr_offsets([]).tolist() == csr_offsets(NOTHING).tolist() == [0]
    assert csr_owners(np.array([0])).tolist() == []
    assert csr_places(NOTHING).tolist() == csr_ranges(NOTHING, NOTHING).tolist() == []


def test_owners_are_the_rows_of_the_values() -> None:
    assert csr_owners(OFFSETS).tolist() == [0, 0, 2, 2, 2, 3]


def test_places_begin_again_in_each_row() -> None:
    assert csr_places(LENGTHS).tolist() == [0, 1, 0, 1, 2, 0]


def test_ranges_gather_chosen_rows() -> None:
    rows = np.array([3, 1, 2, 2])
    gathered = csr_ranges(OFFSETS[rows], LENGTHS[rows])
    assert gathered.tolist() == [5, 2, 3, 4, 2, 3, 4]
    assert VALUES[gathered].tolist() == [15, 12, 13, 14, 12, 13, 14]


def test_ranges_may_be_any_parts_of_the_values() -> None:
    assert csr_ranges(np.array([4, 0]), np.array([2, 3])).tolist() == [4, 5, 0, 1, 2]


def test_padding_fills_the_ends_of_short_rows() -> None:
    assert pad_rows(VALUES, LENGTHS, fill=-1).tolist() == [
        [10, 11, -1],
        [-1, -1, -1],
        [12, 13, 14],
        [15, -1, -1],
    ]
    assert row_mask(LENGTHS).sum(axis=1).tolist() == [2, 0, 3, 1]


def test_a_matrix_is_at_least_one_wide() -> None:
    assert pad_rows(NOTHING, np.array([0, 0]), fill=-100).tolist() == [[-100], [-100]]
    assert pad_rows(NOTHING, NOTHING, fill=0).shape == (0, 1)
