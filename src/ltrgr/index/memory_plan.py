"""The needs of a build, worked out before it begins: memory, disk, and a shard size that fits."""

from __future__ import annotations

from dataclasses import dataclass

from ltrgr.errors import IndexFormatError
from ltrgr.index.postings import LISTED
from ltrgr.index.suffix_array import row_dtype

HEADROOM = 0.9
"""Fraction of the free memory that a build may use; other processes need the rest."""

WIDE_BYTES = 1.0
"""Bytes per token for the wide lists, at most (measured: 0.8 at 3 M tokens, 0.2 at 30 M)."""

LISTED_BYTES = 2.0
"""Bytes per token for the passages of rare tokens, at most (measured: 1.8 at 3 M tokens, 0.7 at
100 M). A token of the vocabulary never has more than `LISTED` passages."""

FIXED_BYTES = 64 * 2**20
"""Memory for bucket tables, scratch, write buffers and compiled kernels, at any size."""


class BuildTooLargeError(IndexFormatError):
    """A build needs more memory or disk than is free; the message names a size that fits."""


@dataclass(frozen=True, kw_only=True)
class BuildPlan:
    """The needs of one build and what is free, in bytes; None if the system does not report it."""

    tokens: int
    passages: int
    peak_bytes: int
    """Highest memory, without the caller's tokens, which are in memory already."""
    disk_bytes: int
    free_memory: int | None
    free_disk: int | None
    shard_tokens: int | None
    """The most tokens per shard that fit into memory; None if even a million do not."""

    @property
    def fits_memory(self) -> bool:
        """Whether the peak stays below `HEADROOM` of the free memory."""
        return self.free_memory is None or self.peak_bytes <= HEADROOM * self.free_memory

    @property
    def fits_disk(self) -> bool:
        """Whether the files fit on the disk; the files of a replaced index stay until the end."""
        return self.free_disk is None or self.disk_bytes <= self.free_disk

    def __str__(self) -> str:
        verdict = "fits" if self.fits_memory and self.fits_disk else "does not fit"
        return (
            f"index of {self.tokens:,} tokens in {self.passages:,} passages: needs "
            f"{_gigabytes(self.peak_bytes)} of memory ({_gigabytes(self.free_memory)} free) and "
            f"{_gigabytes(self.disk_bytes)} of disk ({_gigabytes(self.free_disk)} free): {verdict}"
        )

    def check(self) -> None:
        """Raise `BuildTooLargeError`, which names a size that fits, unless the build fits."""
        if not self.fits_memory:
            advice = (
                f"build in shards, index.shard_tokens={self.shard_tokens}"
                if self.shard_tokens
                else "not even a shard of a million tokens fits: free some memory"
            )
            raise BuildTooLargeError(f"{self}; {advice}, or try it with index.force=true")
        if not self.fits_disk:
            raise BuildTooLargeError(
                f"{self}; free some disk, give another directory with root=..., "
                "or try it with index.force=true"
            )


def plan_build(
    *,
    tokens: int,
    passages: int,
    vocabulary_size: int,
    free_memory: int | None,
    free_disk: int | None,
    as_bytes: bool = False,
) -> BuildPlan:
    """Work out the plan of a build.

    Args:
        tokens, passages, vocabulary_size: N, P and V.
        free_memory, free_disk: bytes, from `ltrgr.index.machine`; None: unknown.
        as_bytes: PySAIS accepts only bytes (`ltrgr.index.suffix_array`), which takes more memory.
    """
    return BuildPlan(
        tokens=tokens,
        passages=passages,
        peak_bytes=peak_bytes(
            tokens=tokens, passages=passages, vocabulary_size=vocabulary_size, as_bytes=as_bytes
        ),
        disk_bytes=disk_bytes(tokens=tokens, passages=passages, vocabulary_size=vocabulary_size),
        free_memory=free_memory,
        free_disk=free_disk,
        shard_tokens=None
        if free_memory is None
        else _shard_tokens(
            room=int(HEADROOM * free_memory),
            passages_per_token=passages / tokens,
            vocabulary_size=vocabulary_size,
            as_bytes=as_bytes,
        ),
    )


def peak_bytes(*, tokens: int, passages: int, vocabulary_size: int, as_bytes: bool = False) -> int:
    """The highest memory of a build, without the caller's own arrays, in bytes.

    It is the larger of two. The suffix sort takes 8 bytes per token with 32-bit positions, and 16
    with 64-bit ones from 2^31 tokens on. The steps after it hold suffix array and occurrence lists
    (a row each), transform and text (a symbol each) and the passages of rare tokens; the suffix
    array is counted because a slow disk may still be writing it.
    ``as_bytes``: the sort takes 6 bytes per byte of a symbol, 10 from 2^30 bytes on, and a row.
    """
    row, symbol = _widths(tokens=tokens, vocabulary_size=vocabulary_size)
    sort = 2 * (4 if tokens < 2**31 - 2**20 else 8)
    if as_bytes:
        sort = row + (6 if tokens * symbol < 2**30 else 10) * symbol
    after = (2 * row + 2 * symbol + row / 64) * tokens + _listed(tokens, vocabulary_size)
    return int(max(sort * tokens, after)) + 8 * passages + 32 * vocabulary_size + FIXED_BYTES


def disk_bytes(*, tokens: int, passages: int, vocabulary_size: int) -> int:
    """Most bytes of the files of an index; see `WIDE_BYTES` and `LISTED_BYTES` for the lists."""
    row, symbol = _widths(tokens=tokens, vocabulary_size=vocabulary_size)
    each = 2 * row + 2 * symbol + row / 64 + 4 / 128 + WIDE_BYTES
    lists = _listed(tokens, vocabulary_size)
    return int(each * tokens + lists) + 8 * passages + 16 * vocabulary_size


def _listed(tokens: int, vocabulary_size: int) -> float:
    return min(LISTED_BYTES * tokens, 4.0 * LISTED * vocabulary_size)


def _widths(*, tokens: int, vocabulary_size: int) -> tuple[int, int]:
    return row_dtype(tokens + 1).itemsize, 2 if vocabulary_size + 1 <= 2**16 else 4


def _shard_tokens(
    *, room: int, passages_per_token: float, vocabulary_size: int, as_bytes: bool
) -> int | None:
    """The largest shard in tokens, whole millions, whose peak fits in ``room``; by bisection."""

    def fits(millions: int) -> bool:
        tokens = millions * 10**6
        passages = round(passages_per_token * tokens)
        peak = peak_bytes(
            tokens=tokens, passages=passages, vocabulary_size=vocabulary_size, as_bytes=as_bytes
        )
        return peak <= room

    low, high = 0, max(1, room // 10**6)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low * 10**6 or None


def _gigabytes(size: int | None) -> str:
    return "?" if size is None else f"{size / 1e9:,.1f} GB"
