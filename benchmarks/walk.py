"""Ten decoding steps without a model: logits that are drawn, beams as the search carries them."""

# mypy: disable-error-code="untyped-decorator"
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from benchmarks.reference import Hypothesis, Reference
from benchmarks.world import World
from ltrgr.decoding.beam_kernels import advance, make_scratch
from ltrgr.index.fm_index import FMIndex
from ltrgr.index.kernels import extend_one, fill_allowed

STEPS = 10
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Step:
    """The live beams of one step and what became of them, flat."""

    lo: NDArray[np.int64]
    hi: NDArray[np.int64]
    parent: NDArray[np.int64]
    """[m] which of ``lo`` each surviving hypothesis extends"""
    token: NDArray[np.int32]


class Pool:
    """Rows of logits [R, V]: log frequency plus Gumbel noise.

    The best allowed token of a row is then a draw from the corpus' own unigram distribution
    among the allowed ones, so that beams grow into keys of common and of rare words.
    """

    def __init__(self, world: World, *, rows: int, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        counts = np.bincount(world.tokens, minlength=len(world.vocabulary))
        self.logits: Floats = self.rng.gumbel(size=(2 * rows, len(counts))).astype(np.float32)
        self.logits += np.log(counts + 0.1).astype(np.float32)
        self.normaliser = np.array(
            [np.logaddexp.reduce(row.astype(np.float64)) for row in self.logits], np.float32
        )

    def draw(self, rows: int) -> tuple[Floats, Floats]:
        """Logits [rows, V] and their log normalisers [rows]; a view, nothing is copied."""
        first = int(self.rng.integers(0, len(self.logits) - rows + 1))
        return self.logits[first : first + rows], self.normaliser[first : first + rows]


def walk(
    index: FMIndex,
    logits: Sequence[tuple[Floats, Floats]],
    *,
    is_marker: NDArray[np.bool_],
    questions: int,
    num_beams: int,
) -> tuple[float, list[Step], list[Any]]:
    """Search keys without markers for ``questions``, one step for each entry of ``logits``.

    Returns:
        seconds inside ``advance``, the steps taken, and the tokens and scores of each step.
    """
    lo, hi = (np.full((questions, 1, 1), row, np.int64) for row in index.root)
    scratch = make_scratch(index.vocabulary_size)
    score = np.zeros((questions, 1), np.float32)
    end = np.full(questions, -1, np.int64)
    elapsed, steps, found = 0.0, [], []
    for depth, (drawn, normaliser) in enumerate(logits):
        begin = perf_counter()
        history = advance(
            [index.arrays],
            drawn,
            normaliser,
            score,
            lo,
            hi,
            depth,
            end,
            is_marker,
            num_beams,
            scratch,
        )
        elapsed += perf_counter() - begin
        token, parent, new, new_lo, new_hi = (
            np.ascontiguousarray(h[:, :num_beams]) for h in history
        )
        alive = np.isfinite(new)
        flat = parent + np.arange(questions)[:, None] * lo.shape[1]
        steps.append(Step(lo.ravel(), hi.ravel(), flat[alive].astype(np.int64), token[alive]))
        found.append((token, new))
        score, lo, hi = new, new_lo, new_hi
    return elapsed, steps, found


def index_part(index: FMIndex, steps: Sequence[Step]) -> None:
    """The same steps again without scores: next tokens of each beam, rows of each survivor."""
    for step in steps:
        _index_part(index.arrays, step.lo, step.hi, step.parent, step.token)


@njit
def _index_part(arrays: Any, lo: Any, hi: Any, parent: Any, token: Any) -> int:
    stamp = np.zeros(arrays.first.size, np.int64)
    out = np.empty(arrays.first.size, np.int32)
    total = 0
    for i in range(lo.size):
        if hi[i] > lo[i]:
            total += fill_allowed(arrays, lo[i], hi[i], stamp, i + 1, out)
    for j in range(parent.size):
        low, high = extend_one(arrays, lo[parent[j]], hi[parent[j]], token[j])
        total += high - low  # used, or the compiler drops the loop
    return total


def walk_in_python(
    reference: Reference, log_p: Sequence[list[list[float]]], *, markers: set[int], num_beams: int
) -> list[list[Hypothesis]]:
    """The search of one question by the reference: the beam after every step."""
    beam = [Hypothesis((), 0.0, reference.root)]
    history = []
    for step in log_p:
        beam = reference.step(beam, step, markers=markers, num_beams=num_beams)
        history.append(beam)
    return history
