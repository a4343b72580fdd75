"""TREC run files keep the order, arrive whole, and refuse what they cannot hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ir_measures import read_trec_run

from ltrgr.evaluation.trec import read_run, strictly_falling, write_run

TIED = {"q2": [("b", 1.0), ("a", 1.0), ("c", -3.5)], "q1": [("a", 0.25)]}


def order(run):
    return {query: [passage for passage, _ in ranked] for query, ranked in run.items()}


def test_a_line_by_hand(tmp_path) -> None:
    write_run(tmp_path / "run.trec", {"q": [("p", 2.5), ("r", -1.0)]}, tag="ours")
    assert (tmp_path / "run.trec").read_text() == "q Q0 p 1 2.5 ours\nq Q0 r 2 -1 ours\n"


def test_ties_are_written_apart_and_come_back_in_order(tmp_path) -> None:
    path = tmp_path / "new" / "run.trec"
    write_run(path, TIED, tag="ours")
    assert order(read_run(path)) == {"q2": ["b", "a", "c"], "q1": ["a"]}
    (_, first), (_, second), (_, third) = read_run(path)["q2"]
    assert first == 1.0 > second == pytest.approx(1.0, abs=1e-7)
    assert third == -3.5
    # an independent reader, ordering by score alone, finds the same order
    foreign = [row for row in read_trec_run(str(path)) if row.query_id == "q2"]
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


def test_equal_scores_in_a_foreign_file_go_by_rank(tmp_path) -> None:
    path = tmp_path / "run.trec"
    path.write_text("q Q0 a 2 1.0 x\n\nq Q0 b 1 1.0 x\nq\tQ0\tc\t3\t4.0\tx\n")
    assert read_run(path) == {"q": [("c", 4.0), ("b", 1.0), ("a", 1.0)]}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("q Q0 b 2 1.0", r"run\.trec:2: found 'q Q0 b 2 1\.0', expected 'query Q0 passage"),
        ("q Q0 b two 1.0 x", r"run\.trec:2: found"),
        ("q Q0 a 2 0.5 x", r"run\.trec:2: found passage 'a' a second time"),
    ],
)
def test_malformed_lines_name_file_and_line(tmp_path, line, message) -> None:
    path = tmp_path / "run.trec"
    path.write_text(f"q Q0 a 1 1.0 x\n{line}\n")
    with pytest.raises(ValueError, match=message):
        read_run(path)


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
