"""Keys put together, by hand."""

from __future__ import annotations

import numpy as np

from ltrgr.identifiers.join import distinct, merge, stack, take
from ltrgr.identifiers.keys import Keys

Row = tuple[int, list[int], int, float]
"""(view, tokens, lo in the first of two shards, log p); two occurrences there, one beyond"""


def keys(*questions: list[Row]) -> Keys:
    rows = [row for question in questions for row in question]
    lo = np.array([[row[2], 7] for row in rows], np.int64).reshape(-1, 2)
    return Keys(
        question_offsets=np.cumsum([0, *map(len, questions)]).astype(np.int64),
        view=np.array([row[0] for row in rows], np.int16),
        token_offsets=np.cumsum([0, *(len(row[1]) for row in rows)]).astype(np.int64),
        tokens=np.array([token for row in rows for token in row[1]], np.int32),
        lo=lo,
        hi=lo + np.array([2, 1]),
        log_probability=np.array([row[3] for row in rows], np.float32),
    )


def rows_of(found: Keys) -> list[list[Row]]:
    assert (found.count == 3).all()
    result = []
    for first, last in zip(found.question_offsets[:-1], found.question_offsets[1:], strict=True):
        result.append(
            [
                (
                    int(found.view[i]),
                    found.tokens[found.token_offsets[i] : found.token_offsets[i + 1]].tolist(),
                    int(found.lo[i, 0]),
                    float(found.log_probability[i]),
                )
                for i in range(first, last)
            ]
        )
    return result


A: Row = (0, [5, 6], 10, -1.0)
B: Row = (1, [7], 20, -2.0)
C: Row = (1, [5, 6], 30, -3.0)
D: Row = (0, [8, 9, 5], 40, -4.0)


def test_stack_appends_questions() -> None:
    assert rows_of(stack([keys([A], [B, C]), keys([], [D])])) == [[A], [B, C], [], [D]]


def test_merge_joins_question_by_question_in_order_of_the_parts() -> None:
    merged = merge([keys([A], []), keys([B], [C]), keys([], [D])])
    assert rows_of(merged) == [[A, B], [C, D]]


def test_merge_keeps_empty_questions() -> None:
    assert rows_of(merge([keys([], [A], []), keys([], [], [])])) == [[], [A], []]


def test_take_reorders_and_assigns() -> None:
    found = take(keys([A, B], [C, D]), np.array([3, 0, 2]), np.array([0, 2, 2]), questions=3)
    assert rows_of(found) == [[D], [], [A, C]]


def test_distinct_keeps_the_first_of_equal_tokens_in_one_question_and_view() -> None:
    later: Row = (0, [5, 6], 10, -9.0)
    shorter: Row = (0, [5], 50, -5.0)
    found = distinct(keys([A, B, later, C, shorter], [later]))
    assert rows_of(found) == [[A, B, C, shorter], [later]]


def test_distinct_of_nothing() -> None:
    assert rows_of(distinct(keys([], []))) == [[], []]


def test_the_question_of_each_key() -> None:
    found = keys([A], [], [B, C])
    assert found.question.tolist() == [0, 2, 2]
    assert found.length.tolist() == [2, 1, 2]
