"""Ranks, own prefixes and returned keys on beams worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ltrgr.analysis.beams import (
    OFF,
    Hypotheses,
    against_gold,
    ends_in_gold,
    free_running_prefix,
    gold_rank,
    returned,
)
from ltrgr.analysis.gold import Gold
from ltrgr.decoding.beam_search import SearchedView
from ltrgr.identifiers.keys import Keys

BEGIN, END = 1, 2


def hypotheses(*rows: tuple[int, int, float, str]) -> Hypotheses:
    """(question, depth, log p, letters: g begins a gold identifier, e ended)"""
    question, depth, score, letters = zip(*rows, strict=True)
    ended = np.asarray(["e" in word for word in letters])
    return Hypotheses(
        question=np.asarray(question),
        depth=np.asarray(depth),
        log_probability=np.asarray(score, dtype=np.float32),
        gold=np.asarray(["g" in word for word in letters]),
        ended=ended,
        whole=ended,
    )


def test_keys_are_compared_without_their_begin_marker() -> None:
    """Question 0 has the title "7 8", question 1 the title "9"."""
    gold = Gold(
        text=np.asarray([BEGIN, 7, 8, END, BEGIN, 9, END], dtype=np.int32),
        offsets=np.asarray([0, 1, 2]),
        start=np.asarray([1, 5]),
        stop=np.asarray([4, 7]),
    )
    keys = Keys(
        question_offsets=np.asarray([0, 3, 4]),
        view=np.zeros(4, dtype=np.int16),
        token_offsets=np.asarray([0, 2, 6, 8, 11]),
        tokens=np.asarray([BEGIN, 7, BEGIN, 7, 8, END, BEGIN, 9, BEGIN, 9, END], dtype=np.int32),
        lo=np.zeros(4, dtype=np.int64),
        hi=np.ones(4, dtype=np.int64),
        log_probability=np.asarray([-1, -2, -3, -4], dtype=np.float32),
    )
    seen = against_gold(keys, gold=gold, view=SearchedView(number=0, begin=BEGIN, end=END))
    assert seen.question.tolist() == [0, 0, 0, 1]
    assert seen.depth.tolist() == [1, 3, 1, 2]
    assert seen.gold.tolist() == [True, True, False, True]
    assert seen.ended.tolist() == seen.whole.tolist() == [False, True, False, True]


def test_without_markers_a_key_of_full_length_is_whole() -> None:
    gold = Gold(
        text=np.asarray([7, 8, 9], dtype=np.int32),
        offsets=np.asarray([0, 3]),
        start=np.asarray([0, 1, 2]),
        stop=np.asarray([3, 3, 3]),
    )
    keys = Keys(
        question_offsets=np.asarray([0, 3]),
        view=np.zeros(3, dtype=np.int16),
        token_offsets=np.asarray([0, 1, 3, 5]),
        tokens=np.asarray([8, 8, 9, 9, 8], dtype=np.int32),
        lo=np.zeros(3, dtype=np.int64),
        hi=np.ones(3, dtype=np.int64),
        log_probability=np.asarray([-1, -2, -3], dtype=np.float32),
    )
    seen = against_gold(keys, gold=gold, view=SearchedView(number=0, max_new_tokens=2))
    assert seen.gold.tolist() == [True, True, False]
    assert seen.whole.tolist() == [False, True, True]
    assert not seen.ended.any()


def test_rank_by_depth_and_the_fall() -> None:
    found = hypotheses(
        (0, 1, -2.0, "g"), (0, 1, -1.0, ""), (0, 1, -3.0, "g"),
        (0, 2, -4.0, ""), (0, 2, -5.0, ""), (0, 2, -6.0, "g"),
        (0, 3, -7.0, ""),
        (2, 1, -1.0, "g"),
        (2, 2, -3.0, "ge"), (2, 2, -2.5, ""),
        (2, 3, -4.0, ""),
    )  # fmt: skip
    assert gold_rank(found, questions=3, steps=4).tolist() == [
        [2, 3, OFF, OFF],
        [OFF] * 4,
        [1, 2, 2, 2],  # it ended in second place, and is not lost afterwards
    ]


def test_an_own_path_ends_where_the_end_marker_was_the_likeliest() -> None:
    greedy = hypotheses(
        # question 0: right, then wrong for good
        (0, 1, -1.0, "g"), (0, 2, -2.0, ""), (0, 3, -3.0, ""),
        # question 1: a whole gold identifier of two tokens; the beam's next best is no path
        (1, 1, -1.0, "g"), (1, 2, -2.0, "ge"), (1, 2, -3.0, ""), (1, 3, -4.0, ""),
        # question 2: another identifier ended, while the next best would have been right
        (2, 1, -1.0, "g"), (2, 2, -2.0, "e"), (2, 2, -3.0, "g"), (2, 3, -4.0, "g"),
        # question 3: the index allows no third token
        (3, 1, -1.0, "g"), (3, 2, -1.0, "g"),
    )  # fmt: skip
    assert free_running_prefix(greedy, questions=5, steps=3).tolist() == [
        [True, False, False],
        [True, True, True],
        [True, False, False],
        [True, True, True],
        [False, False, False],
    ]


def test_greedy_decoding_is_right_where_its_own_end_is_gold() -> None:
    marked = hypotheses(
        # question 0: a whole gold identifier; the beam goes on, and ends another one later
        (0, 1, -1.0, "g"), (0, 2, -2.0, "ge"), (0, 3, -3.0, "e"),
        # question 1: another identifier ended first; the gold one after it is not the path
        (1, 1, -1.0, "g"), (1, 2, -2.0, "e"), (1, 3, -3.0, "ge"),
        # question 2: right so far, and never at an end
        (2, 1, -1.0, "g"), (2, 2, -1.0, "g"),
        # question 4 (question 3 has no hypothesis): wrong
        (4, 1, -1.0, ""), (4, 2, -1.0, "e"),
    )  # fmt: skip
    assert ends_in_gold(marked, questions=5).tolist() == [True, False, False, False, False]


def test_without_markers_greedy_decoding_is_right_at_full_length_only() -> None:
    free = hypotheses(
        (0, 1, -1.0, "g"), (0, 2, -2.0, "g"),
        (1, 1, -1.0, "g"),  # the text of the passage ends after one token
        (2, 1, -1.0, "g"), (2, 2, -2.0, ""),
    )  # fmt: skip
    free = replace(free, whole=free.depth == 2)
    assert ends_in_gold(free, questions=3).tolist() == [True, False, False]


def test_returned_looks_at_whole_keys_only() -> None:
    found = hypotheses(
        (0, 1, -0.1, "g"), (0, 2, -2.0, "e"), (0, 3, -1.5, "e"),
        (1, 2, -2.0, "ge"), (1, 3, -3.0, "e"),
        (2, 1, -0.5, "g"),
    )  # fmt: skip
    whole = returned(found, questions=3)
    assert whole.gold.tolist() == [False, True, False]
    assert whole.best.tolist() == [-1.5, -2.0, -np.inf]
    assert whole.worst.tolist() == [-2.0, -3.0, -np.inf]
