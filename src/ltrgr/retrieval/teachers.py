"""Teachers for distillation: another system's scores of the passages in mined rank lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltrgr.corpus.records import Corpus
from ltrgr.errors import RetrieverError
from ltrgr.retrieval.bm25 import BM25
from ltrgr.retrieval.mined import MinedLists

Floats = NDArray[np.float64]

TEACHERS = ("bm25", "mined_score")


def teacher_scores(names: Iterable[str], *, mined: MinedLists, corpus: Corpus) -> dict[str, Floats]:
    """name -> scores [Q, P] of the listed passages, on the scale of the mined scores.

    ``bm25`` is the only teacher here. ``mined_score`` is skipped, because every batch has it.

    Raises:
        RetrieverError: a name is no teacher.
    """
    found: dict[str, Floats] = {}
    for name in sorted(set(names) - {"mined_score"}):
        if name != "bm25":
            raise RetrieverError(
                f"teacher {name!r}: expected one of {list(TEACHERS)}; set loss.teacher"
            )
        texts = [corpus.train.queries[i].text for i in mined.question]
        scores = BM25(corpus.passages).scores(texts, passages=np.asarray(mined.passage))
        found[name] = on_the_scale_of(np.asarray(mined.score), scores, mask=np.asarray(mined.mask))
    return found


def on_the_scale_of(student: Any, teacher: Floats, *, mask: NDArray[np.bool_]) -> Floats:
    """Scale the teacher's scores [Q, P] so that both have the same spread within a list.

    One factor scales all lists: the ratio of the root mean squared distances from the mean of a
    list. MarginMSE compares margins, and BM25's scores have another unit than the student's.

    Args:
        student, teacher: [Q, P] scores.
        mask: [Q, P] True for passages.

    Returns:
        [Q, P] scaled scores, 0 outside ``mask``.
    """
    spread = [_within(np.where(mask, scores, 0.0), mask) for scores in (student, teacher)]
    factor = spread[0] / spread[1] if spread[1] > 0 else 1.0
    scaled: Floats = np.where(mask, teacher * factor, 0.0)
    return scaled


def _within(scores: Floats, mask: NDArray[np.bool_]) -> float:
    width = np.maximum(mask.sum(axis=1, keepdims=True), 1)
    mean = scores.sum(axis=1, keepdims=True) / width
    return float(np.sqrt(np.square((scores - mean)[mask]).mean())) if mask.any() else 0.0
