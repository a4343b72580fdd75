"""Ten decoding steps without a model: the index's part, and with top-k."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.measure import Row, flush_caches, scaled
from benchmarks.reference import Reference
from benchmarks.walk import STEPS, Pool, index_part, walk, walk_in_python
from benchmarks.world import World
from ltrgr.index.fm_index import FMIndex

SHAPES = ((20, 15), (1, 15))
"""questions x beams"""


def measure(
    world: World, index: FMIndex, reference: Reference | None, *, repeats: int, seed: int
) -> Iterator[Row]:
    """Ten steps at each shape without a model."""
    pool = Pool(world, rows=max(q * b for q, b in SHAPES), seed=seed)
    for questions, num_beams in SHAPES:
        yield from _steps(world, index, reference, pool, (questions, num_beams), repeats)


def _steps(
    world: World,
    index: FMIndex,
    reference: Reference | None,
    pool: Pool,
    shape: tuple[int, int],
    repeats: int,
) -> Iterator[Row]:
    questions, num_beams = shape
    is_marker = world.vocabulary.is_marker
    advancing, indexing, allowed = [], [], []
    for repeat in range(repeats + 1):
        drawn = [pool.draw(questions * (num_beams if t else 1)) for t in range(STEPS)]
        flush_caches()
        elapsed, steps, _ = walk(
            index, drawn, is_marker=is_marker, questions=questions, num_beams=num_beams
        )
        flush_caches()
        begin = perf_counter()
        index_part(index, steps)
        if repeat:  # the first one compiled
            indexing.append(perf_counter() - begin)
            advancing.append(elapsed)
            allowed.append(sum(len(index.allowed(s.lo, s.hi)[1]) for s in steps))
    references = {}
    if reference is not None:
        # one question of the 20: the reference's time is proportional to their number
        references["python"] = _python(reference, pool, is_marker, num_beams) * 1e3 * questions
    name = f"{questions}x{num_beams}"
    note = f"{np.mean(allowed) / questions:.0f} next tokens/question"
    yield Row(
        name=f"decoding/{name} index part",
        unit="ms/10 steps",
        values=scaled(indexing, 1e3),
        note=note,
    )
    yield Row(
        name=f"decoding/{name} with top-k",
        unit="ms/10 steps",
        values=scaled(advancing, 1e3),
        references=references,
    )


def _python(reference: Reference, pool: Pool, is_marker: Any, num_beams: int) -> float:
    drawn = [pool.draw(num_beams if t else 1) for t in range(STEPS)]
    log_p = [(logits - normaliser[:, None]).tolist() for logits, normaliser in drawn]
    begin = perf_counter()
    walk_in_python(
        reference, log_p, markers=set(np.flatnonzero(is_marker).tolist()), num_beams=num_beams
    )
    return perf_counter() - begin
