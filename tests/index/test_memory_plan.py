from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from naive_index import World

from ltrgr.index import fm_index
from ltrgr.index.memory_plan import (
    FIXED_BYTES,
    BuildPlan,
    BuildTooLargeError,
    disk_bytes,
    peak_bytes,
    plan_build,
)

MILLION, BILLION = 10**6, 10**9


def plan(**changes: object) -> BuildPlan:
    """100 M tokens in a million passages, 50,000 ids, on a machine with plenty."""
    wanted = {
        "tokens": 100 * MILLION,
        "passages": MILLION,
        "vocabulary_size": 50_000,
        "free_memory": 16 * BILLION,
        "free_disk": 16 * BILLION,
    }
    return plan_build(**(wanted | changes))


@pytest.mark.parametrize(
    ("tokens", "ids", "per_token"),
    [
        # suffix array 4, occurrences 4 and 1/16 of samples, transform, text and passages 2 each
        (100 * MILLION, 65_535, 14.0625),
        (100 * MILLION, 65_536, 18.0625),  # transform and text 4 each
        (2200 * MILLION, 50_000, 16),  # 2^31 = 2,147 M: sorted as two int64
        # 2^32 = 4,295 M: rows of 8 bytes; passages of rare tokens 4 bytes, 2048 for each id
        (4400 * MILLION, 50_000, 20.125 + 8192 * 50_000 / (4400 * MILLION)),
    ],
)
def test_the_peak_by_hand(tokens: int, ids: int, per_token: float) -> None:
    found = peak_bytes(tokens=tokens, passages=10, vocabulary_size=ids)
    assert found == int(per_token * tokens) + 80 + 32 * ids + FIXED_BYTES


@pytest.mark.parametrize(
    ("tokens", "ids", "per_token"),
    # the symbols' bytes as integers and as bytes, four or eight for each of their positions, rows
    [(100 * MILLION, 65_535, 16), (100 * MILLION, 65_536, 28), (600 * MILLION, 65_535, 24)],
)
def test_the_peak_of_a_sort_of_bytes(tokens: int, ids: int, per_token: int) -> None:
    found = peak_bytes(tokens=tokens, passages=0, vocabulary_size=ids, as_bytes=True)
    assert found == per_token * tokens + 32 * ids + FIXED_BYTES


def test_the_disk_by_hand() -> None:
    # 4 + 4 + 1/16 + 2 + 2, one hint of 4 bytes per 128 positions, wide lists 1; 2048 of 4 per id
    found = disk_bytes(tokens=128 * MILLION, passages=MILLION, vocabulary_size=1000)
    assert found == 128 * MILLION * 13 + 8 * MILLION + 4 * MILLION + 8 * MILLION + 8_208_000


def test_what_fits_is_said_and_let_through() -> None:
    fitting = plan()
    # 1406.25 MB + 8 + 1.6 + 67.1; 1509.375 MB + 8 + 0.8
    assert str(fitting) == (
        "index of 100,000,000 tokens in 1,000,000 passages: needs 1.5 GB of memory (16.0 GB free) "
        "and 1.5 GB of disk (16.0 GB free): fits"
    )
    fitting.check()


def test_memory_that_does_not_suffice_names_the_shard_size() -> None:
    # room 900 MB - 67.1 fixed - 1.6 table = 831.3 MB; 14.0625 + 0.08 bytes per token: 58.78 M
    small = plan(free_memory=BILLION)
    assert small.shard_tokens == 58 * MILLION
    with pytest.raises(
        BuildTooLargeError,
        match=r"\(1\.0 GB free\).*does not fit.*index\.shard_tokens=58000000, or .*force=true",
    ):
        small.check()
    assert not plan(tokens=59 * MILLION, passages=590_000, free_memory=BILLION).fits_memory
    assert plan(tokens=58 * MILLION, passages=680_000, free_memory=BILLION).fits_memory


def test_a_shard_stays_on_this_side_of_the_wider_sort_where_that_does_not_fit() -> None:
    # room 27 GB: 12.14 bytes fit 2,217 M tokens, but from 2^31 - 2^20 = 2,146.4 M on it is 16.08
    tight = plan(tokens=5000 * MILLION, passages=50 * MILLION, free_memory=30 * BILLION)
    assert tight.shard_tokens is not None
    assert 1600 * MILLION < tight.shard_tokens <= 2146 * MILLION
    assert plan(
        tokens=tight.shard_tokens,
        passages=tight.shard_tokens // 100,
        free_memory=30 * BILLION,
    ).fits_memory


def test_a_machine_too_small_for_any_shard() -> None:
    with pytest.raises(BuildTooLargeError, match="not even a shard of a million tokens fits"):
        plan(free_memory=70 * MILLION).check()


def test_disk_that_does_not_suffice() -> None:
    with pytest.raises(BuildTooLargeError, match=r"\(1\.0 GB free\): does not fit; free some disk"):
        plan(free_disk=BILLION).check()


def test_what_the_machine_does_not_say_is_no_obstacle() -> None:
    unknown = plan(free_memory=None, free_disk=None)
    unknown.check()
    assert unknown.shard_tokens is None
    assert "(? free)" in str(unknown)
    assert replace(unknown, free_memory=1).fits_memory is False


def test_a_build_says_its_plan_and_stops_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(np.array([1, 2, 1, 3], np.int32), np.array([0, 4]), 6, [], 4096)
    wanted = {"tokens": world.tokens, "offsets": world.offsets, "vocabulary_size": 6}
    monkeypatch.setattr(fm_index, "free_memory", lambda: 1000)
    with (
        caplog.at_level(logging.INFO, logger="ltrgr"),
        pytest.raises(BuildTooLargeError, match=r"index\.force=true"),
    ):
        fm_index.FMIndex.build(**wanted, directory=tmp_path / "index")
    assert "index of 4 tokens in 1 passages" in caplog.text
    assert list(tmp_path.iterdir()) == []
    forced = fm_index.FMIndex.build(**wanted, directory=tmp_path / "index", force=True)
    assert forced.n_tokens == 4
