"""Teachers of mined lists: BM25's own scores, on the student's scale."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from ltrgr.corpus.records import Passage, Query
from ltrgr.errors import RetrieverError
from ltrgr.retrieval.bm25 import BM25
from ltrgr.retrieval.teachers import on_the_scale_of, teacher_scores

PASSAGES = [
    Passage("a", "Elbe", "A river in the north."),
    Passage("b", "Ulm", "A town on a river."),
    Passage("c", "Bach", "He wrote music."),
]


def test_scores_of_listed_passages_are_those_of_a_search() -> None:
    bm25 = BM25(PASSAGES)
    texts = ["which river in the north", "who wrote music"]
    found, scores = bm25.search(texts, 3)
    listed = found[:, ::-1].copy()
    listed[1, 0] = -1
    expected = scores[:, ::-1].astype(float)
    expected[1, 0] = 0.0
    np.testing.assert_allclose(bm25.scores(texts, passages=listed), expected)


def test_the_scale_is_the_student_s() -> None:
    """Distances from the lists' means: student 3, 3 and teacher 1, 1: times 3, padding aside."""
    student = np.array([[10.0, 4.0, 99.0]])
    teacher = np.array([[1.0, 3.0, 7.0]])
    mask = np.array([[True, True, False]])
    np.testing.assert_allclose(on_the_scale_of(student, teacher, mask=mask), [[3.0, 9.0, 0.0]])


def test_a_teacher_without_an_opinion_stays_as_it_is() -> None:
    level = np.full((1, 2), 5.0)
    mask = np.ones((1, 2), bool)
    np.testing.assert_array_equal(on_the_scale_of(np.array([[1.0, 2.0]]), level, mask=mask), level)


def test_teachers_by_name() -> None:
    corpus = cast(
        Any,
        SimpleNamespace(passages=PASSAGES, train=SimpleNamespace(queries=[Query("1", "river")])),
    )
    mined = cast(
        Any,
        SimpleNamespace(
            question=np.array([0]),
            passage=np.array([[2, 0]]),
            score=np.array([[4.0, 0.0]]),
            mask=np.ones((1, 2), bool),
        ),
    )
    assert teacher_scores(["mined_score"], mined=mined, corpus=corpus) == {}
    scores = teacher_scores(["bm25", "mined_score"], mined=mined, corpus=corpus)["bm25"]
    np.testing.assert_allclose(scores, [[0.0, 4.0]])
    with pytest.raises(RetrieverError, match=r"loss\.teacher"):
        teacher_scores(["colbert"], mined=mined, corpus=corpus)
