"""Single operations of the index: extending keys, next tokens, locating, passage text."""

# mypy: disable-error-code="untyped-decorator"
from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from benchmarks.measure import Row, scaled, seconds
from benchmarks.reference import Reference
from benchmarks.world import World
from ltrgr.index.fm_index import FMIndex
from ltrgr.index.kernels import fill_allowed

BATCH = 300
"""keys a call: one step of 20 questions x 15 beams"""
LENGTHS = (0, 1, 2, 3, 5, 9)
REFERENCE_KEYS = 3
RARE = 1500
"""Longer lists of occurrences are not located by the scorer."""

Rows = NDArray[np.int64]


def measure(
    world: World, index: FMIndex, reference: Reference | None, *, repeats: int, seed: int
) -> Iterator[Row]:
    """Rows of one operation each, microseconds per key."""
    rng = np.random.default_rng(seed)
    for length in LENGTHS:
        yield _extend(world, index, reference, rng, length, repeats)
    for length in LENGTHS:
        yield from _allowed(world, index, reference, rng, length, repeats)
    yield _locate(world, index, reference, rng, repeats)
    yield _passage_text(index, reference, rng, repeats)


def _intervals(index: FMIndex, spans: NDArray[np.int32]) -> tuple[Rows, Rows]:
    n, length = spans.shape
    return index.intervals(np.arange(n + 1) * length, spans.ravel())


def _extend(
    world: World,
    index: FMIndex,
    reference: Reference | None,
    rng: np.random.Generator,
    length: int,
    repeats: int,
) -> Row:
    def prepare() -> tuple[Rows, Rows, NDArray[np.int32]]:
        spans = world.spans(rng, BATCH, length + 1)
        return *_intervals(index, spans[:, :length]), spans[:, length].copy()

    measured = seconds(prepare, lambda query: index.extend(*query), repeats=repeats)
    references = {}
    if reference is not None:
        spans = world.spans(rng, REFERENCE_KEYS, length + 1).tolist()
        ends = [_ends(reference, span[:length]) for span in spans]
        begin = perf_counter()
        for one, span in zip(ends, spans, strict=True):
            reference.extend(one, span[-1])
        references["python"] = (perf_counter() - begin) * 1e6 / REFERENCE_KEYS
    return Row(
        name=f"steps/extend after {length}",
        unit="us/key",
        values=scaled(measured, 1e6 / BATCH),
        references=references,
    )


def _ends(reference: Reference, key: list[int]) -> Any:
    return reference.ends(tuple(key)) if key else reference.root


def _allowed(
    world: World,
    index: FMIndex,
    reference: Reference | None,
    rng: np.random.Generator,
    length: int,
    repeats: int,
) -> Iterator[Row]:
    def prepare() -> tuple[Rows, Rows]:
        return _intervals(index, world.spans(rng, BATCH, length))

    def fill(query: tuple[Rows, Rows]) -> int:
        return int(_fill(index.arrays, *query, stamp, out))

    stamp = np.zeros(index.vocabulary_size + 2, np.int64)
    out = np.empty(index.vocabulary_size + 2, np.int32)
    followers = len(index.allowed(*prepare())[1]) / BATCH
    references = {}
    if reference is not None:
        ends = [_ends(reference, key) for key in world.spans(rng, REFERENCE_KEYS, length).tolist()]
        begin = perf_counter()
        for one in ends:
            reference.allowed(one)
        references["python"] = (perf_counter() - begin) * 1e6 / REFERENCE_KEYS
    for name, timed in (
        (f"steps/next tokens after {length}", fill),
        (f"steps/next tokens, sorted with counts, after {length}", lambda q: index.allowed(*q)),
    ):
        measured = seconds(prepare, timed, repeats=repeats)
        yield Row(
            name=name,
            unit="us/key",
            values=scaled(measured, 1e6 / BATCH),
            references=references,
            note=f"{followers:.1f} tokens/key",
        )


@njit
def _fill(arrays: Any, lo: Any, hi: Any, stamp: Any, out: Any) -> int:
    """What the decoder asks: the next tokens, in any order. Stamps must not be old ones."""
    stamp[:] = -1
    total = 0
    for i in range(lo.size):
        total += fill_allowed(arrays, lo[i], hi[i], stamp, i, out)
    return total


def _locate(
    world: World,
    index: FMIndex,
    reference: Reference | None,
    rng: np.random.Generator,
    repeats: int,
) -> Row:
    rows: list[int] = []

    def prepare() -> tuple[Rows, Rows, Rows]:
        spans = world.spans(rng, BATCH, 3)
        lo, hi = _intervals(index, spans)
        hi = np.minimum(hi, lo + RARE)
        rows.append(int((hi - lo).sum()))
        return lo, hi, np.full(BATCH, 3, np.int64)

    def locate(query: tuple[Rows, Rows, Rows]) -> None:
        index.passage_of(np.maximum(index.locate(*query)[1], 0))

    measured = seconds(prepare, locate, repeats=repeats)
    references = {}
    if reference is not None:
        found = 0
        spans = world.spans(rng, REFERENCE_KEYS, 3).tolist()
        begin = perf_counter()
        for span in spans:
            places = reference.locate(tuple(span))
            found += len([reference.passage_of(place) for place in places])
        references["python"] = (perf_counter() - begin) * 1e6 / found
    per_row = [one * 1e6 / n for one, n in zip(measured, rows[1:], strict=True)]
    return Row(
        name="steps/locate",
        unit="us/row",
        values=per_row,
        references=references,
        note=f"position and passage, {np.mean(rows) / BATCH:.1f} rows/key",
    )


def _passage_text(
    index: FMIndex, reference: Reference | None, rng: np.random.Generator, repeats: int
) -> Row:
    def prepare() -> list[int]:
        drawn: list[int] = rng.integers(0, index.n_passages, BATCH).tolist()
        return drawn

    measured = seconds(prepare, lambda q: [index.passage_tokens(p) for p in q], repeats=repeats)
    references = {}
    if reference is not None:
        again = seconds(prepare, lambda q: [reference.passage_tokens(p) for p in q], repeats=3)
        references["python"] = float(np.median(again)) * 1e6 / BATCH
    return Row(
        name="steps/passage text",
        unit="us/passage",
        values=scaled(measured, 1e6 / BATCH),
        references=references,
        note="token ids",
    )
