"""TREC run files keep the order, arrive whole, and refuse what they cannot hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ir_measures import read_trec_run

from ltrgr.evaluation.trec import strictly_falling, write_run

TIED = {"q2": [("b", 1.0), ("a", 1.0), ("c", -3.5)], "q1": [("a", 0.25)]}


def test_a_line_by_hand(tmp_path) -> None:
    write_run(tmp_path / "run.trec", {"q": [("p", 2.5), ("r", -1.0)]}, tag="ours")
    assert (tmp_path / "run.trec").read_text() == "q Q0 p 1 2.5 ours\nq Q0 r 2 -1 ours\n"


def test_ties_are_written_apart_and_come_back_in_order(tmp_path) -> None:
    path = tmp_path / "new" / "run.trec"
    write_run(path, TIED, tag="ours")
    rows = list(read_trec_run(str(path)))  # an independent reader, in the order of the lines
    assert [(row.query_id, row.doc_id) for row in rows] == [
        ("q2", "b"), ("q2", "a"), ("q2", "c"), ("q1", "a"),
    ]  # fmt: skip
    foreign = rows[:3]
    first, second, third = (row.score for row in foreign)
    assert first == 1.0 > second == pytest.approx(1.0, abs=1e-7)
    assert third == -3.5
    # ordering by score alone finds the same order
    by_score = sorted(foreign, key=lambda row: np.float32(row.score), reverse=True)
    assert [row.doc_id for row in by_score] == ["b", "a", "c"]
    assert len({np.float32(row.score) for row in foreign}) == 3


scores32 = st.floats(width=32, allow_nan=False, allow_infinity=False, min_value=-(2.0**100))


@given(st.lists(scores32, min_size=1, max_size=40))
def test_strictly_falling_against_nextafter(values) -> None:
    given_scores = np.array(values, dtype=np.float32)
    expected = [given_scores[0]]
    for value in given_scores[1:]:
        below = np.nextafter(expected[-1], np.float32(-np.inf))
        expected.append(min(value, below))
    assert np.array_equal(strictly_falling(given_scores), np.array(expected, dtype=np.float32))


@pytest.mark.parametrize(
    ("run", "message"),
    [
        ({"q": [("a b", 1.0)]}, "passage id for query 'q' 'a b'"),
        ({"": [("a", 1.0)]}, "query id ''"),
        ({"q": [("a", 1.0), ("a", 0.5)]}, "'a' more than once"),
        ({"q": [("a", float("nan"))]}, "score nan for passage 'a'"),
        ({"q": [("a", 1.0), ("b", 1e300)]}, r"score 1e\+300 for passage 'b'"),
    ],
)
def test_what_a_file_cannot_hold_leaves_the_old_one_whole(tmp_path, run, message) -> None:
    path = tmp_path / "run.trec"
    write_run(path, TIED, tag="ours")
    before = path.read_text()
    with pytest.raises(ValueError, match=message):
        write_run(path, run, tag="ours")
    assert path.read_text() == before
    assert [file.name for file in tmp_path.iterdir()] == ["run.trec"]


def test_a_failed_write_leaves_no_trace(tmp_path, monkeypatch) -> None:
    path = tmp_path / "run.trec"
    write_run(path, {"q": [("a", 1.0)]}, tag="old")

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(OSError, match="no space"):
        write_run(path, TIED, tag="new")
    assert [file.name for file in tmp_path.iterdir()] == ["run.trec"]
    assert path.read_text().endswith("old\n")
