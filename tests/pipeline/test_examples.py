"""What an evaluation leaves for the eye, on three questions worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ltrgr.corpus.records import Passage, Query, Split
from ltrgr.pipeline.examples import DEPTH, IDENTIFIERS, write_examples, write_scores
from ltrgr.retrieval.hits import Hit, IdentifierMatch

QUERIES = tuple(Query(f"q{i}", f"question {i}", ("yes",)) for i in range(3))
SPLIT = Split(QUERIES, {"q0": {"a": 1, "z": 0}, "q1": {"b": 2}, "q2": {}})


def test_scores_are_counted_by_judgement_in_bins_of_a_twentieth_key(tmp_path: Path) -> None:
    run = {
        "q0": [("z", 12.0), ("a", 11.0), ("c", 0.0)],  # relevant: a; grade 0 is not
        "q1": [("b", 4.9)],
        "q2": [],
    }
    write_scores(tmp_path / "scores.json", run=run, split=SPLIT, one_key=100.0)
    assert json.loads((tmp_path / "scores.json").read_text()) == {
        "width": 5.0,
        "one_key": 100.0,
        "questions": 3,
        "positive": [1, 0, 1],  # 4.9 and 11
        "negative": [1, 0, 1],  # 0 and 12
        "best_positive": [1, 0, 1],
        "best_negative": [0, 0, 1],  # 12 alone: q1 lists no irrelevant passage
    }


def hits(relevant_at: int, count: int = 8) -> list[Hit]:
    found = tuple(
        IdentifierMatch("body", f"key {i}", 2, 30.0 - i, 1 / 3) for i in range(IDENTIFIERS + 2)
    )
    names = [f"n{i}" for i in range(count)]
    names[relevant_at] = "a"
    return [Hit(Passage(n, f"title {n}", "text"), 9.0 - i, found) for i, n in enumerate(names)]


def test_examples_are_the_top_and_the_first_relevant_passage(tmp_path: Path) -> None:
    def search(texts: object) -> list[list[Hit]]:
        assert texts == ["question 0", "question 1", "question 2"]
        return [hits(6), hits(6), hits(1)]

    write_examples(tmp_path / "examples.json", split=SPLIT, search=search)
    stored = json.loads((tmp_path / "examples.json").read_text())
    first, second, _ = stored["questions"]
    assert [hit["rank"] for hit in first["hits"]] == [*range(1, DEPTH + 1), 7]
    assert first["first_relevant"] == 7
    assert first["hits"][-1]["relevant"] and not first["hits"][0]["relevant"]
    assert (second["first_relevant"], len(second["hits"])) == (None, DEPTH)
    shown = first["hits"][0]
    assert (shown["identifiers"], len(shown["matches"])) == (IDENTIFIERS + 2, IDENTIFIERS)
    assert shown["matches"][0] == {
        "view": "body", "text": "key 0", "count": 2, "weight": 30.0, "coverage": 0.33,
    }  # fmt: skip
    assert stored["passages"]["a"] == {"title": "title a", "text": "text"}
    assert "n7" not in stored["passages"]


def test_every_system_shows_the_same_evenly_spaced_questions(tmp_path: Path) -> None:
    split = Split(tuple(Query(f"q{i}", f"t{i}") for i in range(96)), {})
    asked: list[str] = []
    write_examples(
        tmp_path / "e.json", split=split, search=lambda t: [asked.append(x) or [] for x in t]
    )
    assert asked == [f"t{5 * i}" for i in range(20)]
    with pytest.raises(ValueError, match="zip"):
        write_examples(tmp_path / "e.json", split=split, search=lambda _: [])
