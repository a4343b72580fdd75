"""What a search costs before and after learning to rank, timed in turns on the same questions."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltrgr.retrieval.retriever import Retriever


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One system's search of one batch of questions."""

    seconds: float
    """per question"""
    keys: float
    """per question, found and scored"""


def take_turns(
    retrievers: Mapping[str, Retriever], batches: Sequence[Sequence[str]], *, k: int
) -> Iterator[tuple[slice, dict[str, Turn]]]:
    """Search every batch with every system; who begins changes from batch to batch.

    So whatever else the machine does meets all systems alike, and a question's own length drops
    out of the ratio of two turns. The first batch is searched once more before the clock starts.

    Yields:
        Which of all questions the batch held, and every system's turn.
    """
    done = 0
    for retriever in retrievers.values():
        _search(retriever, batches[0], k)
    for number, texts in enumerate(batches):
        names = list(retrievers)
        order = names if number % 2 == 0 else names[::-1]
        turns = {name: _search(retrievers[name], texts, k) for name in order}
        yield slice(done, done + len(texts)), {name: turns[name] for name in names}
        done += len(texts)


def _search(retriever: Retriever, texts: Sequence[str], k: int) -> Turn:
    start = time.perf_counter()
    keys = sum(len(found.lo) for _, found, _ in retriever.rank(texts, k=k))
    return Turn(seconds=(time.perf_counter() - start) / len(texts), keys=keys / len(texts))


def ratio(
    after: NDArray[np.float64],
    before: NDArray[np.float64],
    *,
    seed: int,
    samples: int = 10_000,
    level: float = 0.95,
) -> dict[str, float]:
    """The median of ``after / before``, turn by turn, and its bootstrap interval (percentiles).

    Raises:
        ValueError: no turns, or not as many of each.
    """
    if not len(after) or len(after) != len(before):
        raise ValueError(f"{len(after)} turns after, {len(before)} before: expected as many, 1+")
    ratios = after / before
    drawn = np.random.default_rng(seed).choice(ratios, (samples, len(ratios)))
    low, high = np.quantile(np.median(drawn, axis=1), [(1 - level) / 2, (1 + level) / 2])
    return {"median": float(np.median(ratios)), "low": float(low), "high": float(high)}
