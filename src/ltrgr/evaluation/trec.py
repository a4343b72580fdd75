"""TREC files: runs (``query Q0 passage rank score tag``) and judgements."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ltrgr.disk import write_atomically

Run = dict[str, list[tuple[str, float]]]
"""query id -> retrieved (passage id, score), best first; the order is what counts."""


def write_run(path: Path, run: Run, *, tag: str) -> None:
    """Writes a run, atomically: ``path`` holds the old file or the whole new one.

    Readers of this format order by score, in 32 bits, and break ties each in its own way. So the
    scores are written strictly falling: where one is not below its predecessor, it becomes the
    next smaller 32-bit number. Ranks count from 1.

    Raises:
        ValueError: an id or the tag is empty or holds white space, a passage is listed twice for
            one query, or a score is not a finite 32-bit number.
    """
    _expect_word("tag", tag)
    text = "".join(_lines(query, ranked, tag) for query, ranked in run.items())
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text)


def write_judgements(path: Path, qrels: Mapping[str, Mapping[str, int]]) -> None:
    """Write the judgements of a run's questions, atomically: ``query 0 passage grade``.

    With a run of `write_run`, any TREC tool computes the same figures.

    Raises:
        ValueError: an id is empty or holds white space.
    """
    lines = []
    for query, judged in qrels.items():
        _expect_word("query id", query)
        for passage, grade in judged.items():
            _expect_word(f"passage id for query {query!r}", passage)
            lines.append(f"{query} 0 {passage} {grade}\n")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, "".join(lines))


def strictly_falling(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """The nearest float32 scores [n] that are at most the given ones and fall strictly.

    Float32 in order are also integers in order (sign-magnitude made two's complement), and a step
    of one integer is the next float. So with integers u the answer is
    min over j <= i of (u_j - (i - j)): a running minimum of u + i.
    """
    bits = scores.view(np.int32).astype(np.int64)
    steps = np.where(bits >= 0, bits, -(bits & 0x7FFFFFFF))
    position = np.arange(len(scores))
    steps = np.minimum.accumulate(steps + position) - position
    bits = np.where(steps >= 0, steps, -steps | 0x80000000)
    return bits.astype(np.uint32).view(np.float32)


def _lines(query: str, ranked: list[tuple[str, float]], tag: str) -> str:
    _expect_word("query id", query)
    ids = [passage for passage, _ in ranked]
    for passage in ids:
        _expect_word(f"passage id for query {query!r}", passage)
    if len(set(ids)) != len(ids):
        twice = next(passage for passage in ids if ids.count(passage) > 1)
        raise ValueError(
            f"found passage {twice!r} more than once for query {query!r}, expected it once; "
            "drop duplicates before writing"
        )
    with np.errstate(over="ignore"):
        scores = np.array([score for _, score in ranked], dtype=np.float64).astype(np.float32)
    if not np.isfinite(scores).all():
        passage, score = ranked[int(np.flatnonzero(~np.isfinite(scores))[0])]
        raise ValueError(
            f"found score {score} for passage {passage!r} of query {query!r}, expected a finite "
            "32-bit number; look for a diverged model (ltrgr doctor)"
        )
    written = strictly_falling(scores).tolist()
    return "".join(
        f"{query} Q0 {passage} {rank} {score:.9g} {tag}\n"  # 9 digits give a float32 back exactly
        for rank, (passage, score) in enumerate(zip(ids, written, strict=True), start=1)
    )


def _expect_word(name: str, value: str) -> None:
    if not value or value.split() != [value]:
        raise ValueError(
            f"found {name} {value!r}, expected text without white space: a TREC file is split at "
            "white space; rename it in the corpus"
        )
