"""The cost of a search before and after learning to rank, timed in turns on the same questions."""

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
    """per question: keys found and scored"""


def take_turns(
    retrievers: Mapping[str, Retriever], batches: Sequence[Sequence[str]], *, k: int
) -> Iterator[tuple[slice, dict[str, Turn]]]:
    """Search every batch with every system; the first system changes from batch to batch.

    Other load on the machine then affects all systems equally, and the length of a question
    cancels in the ratio of two turns. Each system searches the first batch once without timing, to
    warm up.

    Args:
        k: length of the rank lists.

    Yields:
        (questions of the batch as a slice, name -> turn of each system).
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
    keys = sum(len(batch.keys.lo) for batch in retriever.retrieve(texts, k=k))
    return Turn(seconds=(time.perf_counter() - start) / len(texts), keys=keys / len(texts))


def ratio(
    after: NDArray[np.float64],
    before: NDArray[np.float64],
    *,
    seed: int,
    samples: int = 10_000,
    level: float = 0.95,
) -> dict[str, float]:
    """The median of ``after / before`` over the turns, with a bootstrap interval (percentiles).

    Args:
        after, before: [n] seconds of the same turns.
        seed: of the resampling.
        samples: bootstrap samples.
        level: confidence level of the interval.

    Returns:
        ``median``, ``low`` and ``high``.

    Raises:
        ValueError: there are no turns, or the numbers of turns differ.
    """
    if not len(after) or len(after) != len(before):
        raise ValueError(
            f"{len(after)} turns after, {len(before)} before: expected as many, 1 or more"
        )
    ratios = after / before
    drawn = np.random.default_rng(seed).choice(ratios, (samples, len(ratios)))
    low, high = np.quantile(np.median(drawn, axis=1), [(1 - level) / 2, (1 + level) / 2])
    return {"median": float(np.median(ratios)), "low": float(low), "high": float(high)}
