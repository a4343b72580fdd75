"""A large corpus from a small one: its own bigrams, its fields, few long repeats."""

# mypy: disable-error-code="untyped-decorator"
from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Tokens = NDArray[np.int32]

JUMP = 1 / 8
"""Chance to jump at a token: about a third of the ten-token spans come from one place of the base
corpus and so repeat, as quotations and phrases do in text; most longer ones are new."""


def resample(
    *, tokens: Tokens, offsets: NDArray[np.int64], is_marker: NDArray[np.bool_], n: int, seed: int
) -> tuple[Tokens, NDArray[np.int64]]:
    """About ``n`` tokens of new passages that read like those of the base corpus.

    A passage begins where a random one begins. After each token the copy jumps, with chance
    ``JUMP``, to a random other occurrence of that token in the same kind of field (after the same
    marker), and goes on there until a passage ends. Token and bigram frequencies, field order and
    the mean length of fields stay those of the base corpus.

    Returns:
        tokens [about n] and passage offsets [P + 1].
    """
    order = np.argsort(tokens, kind="stable")
    starts = np.zeros(len(is_marker) + 1, np.int64)
    np.cumsum(np.bincount(tokens, minlength=len(is_marker)), out=starts[1:])
    marked = np.where(is_marker[tokens], np.arange(len(tokens)), 0)
    field = tokens[np.maximum.accumulate(marked)]  # the last marker at or before each place
    ends = np.zeros(len(tokens), np.bool_)
    ends[offsets[1:] - 1] = True
    room = n + int(64 * np.diff(offsets).max())
    out = np.empty(room, np.int32)
    bounds = np.empty(n + 2, np.int64) if n < 1000 else np.empty(n // 4 + 2, np.int64)
    passages = _copy(tokens, offsets, order, starts, field, ends, n, seed, out, bounds)
    return out[: bounds[passages]].copy(), bounds[: passages + 1].copy()


@njit
def _copy(
    tokens: Any,
    offsets: Any,
    order: Any,
    starts: Any,
    field: Any,
    ends: Any,
    n: int,
    seed: int,
    out: Any,
    bounds: Any,
) -> int:
    np.random.seed(seed)
    bounds[0] = 0
    written, passages = 0, 0
    while written < n and passages + 1 < bounds.size:
        place = offsets[np.random.randint(0, offsets.size - 1)]
        while True:
            token = tokens[place]
            out[written] = token
            written += 1
            if ends[place] or written == out.size:
                break
            if np.random.random() < JUMP:
                other = order[np.random.randint(starts[token], starts[token + 1])]
                if field[other] == field[place] and not ends[other]:
                    place = other
            place += 1
        passages += 1
        bounds[passages] = written
    return passages
