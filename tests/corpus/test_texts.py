"""Corpora from Python's own lists: what they hold, and that every fault names its place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ltrgr.corpus.beir import read_beir
from ltrgr.corpus.kept import keep_corpus
from ltrgr.corpus.records import Corpus, Passage, Query, Split
from ltrgr.corpus.texts import ask
from ltrgr.errors import CorpusError

TEXTS = ["A tree.", "Elms grow.", "Grey wood."]
TREES = Corpus.from_texts(TEXTS, titles=["Oak", "", "Ash"], ids=["a", "b", "c"], name="trees")
ASKED = [("what is oak?", "a"), ("what grows", 1), ("which tree", ["a", np.int64(2)])]


def test_texts_become_passages() -> None:
    assert TREES.passages == (
        Passage("a", "Oak", "A tree."),
        Passage("b", "", "Elms grow."),
        Passage("c", "Ash", "Grey wood."),
    )
    assert [passage.id for passage in Corpus.from_texts(TEXTS).passages] == ["0", "1", "2"]


def test_the_checksum_is_of_the_content() -> None:
    same = Corpus.from_texts(iter(TEXTS), titles=["Oak", "", "Ash"], ids=["a", "b", "c"])
    assert same.checksum == TREES.checksum
    assert Corpus.from_texts(TEXTS, titles=["Oak", "", "Ash"]).checksum != TREES.checksum


def test_questions_name_passages_by_number_or_id() -> None:
    asked = ask(TREES, ASKED, dev=[("where?", 0)], test=[("when?", 2)])
    assert asked.train.queries[2] == Query("train-2", "which tree")
    assert asked.train.qrels == {
        "train-0": {"a": 1},
        "train-1": {"b": 1},
        "train-2": {"a": 1, "c": 1},
    }
    assert (asked.dev.qrels, asked.test.qrels) == ({"dev-0": {"a": 1}}, {"test-0": {"c": 1}})


def test_without_dev_a_tenth_is_held_out() -> None:
    asked = ask(TREES, [(f"question {number}", number % 3) for number in range(20)])
    assert (len(asked.train.queries), len(asked.dev.queries)) == (18, 2)
    assert asked.test == Split()


def test_a_kept_corpus_is_a_beir_folder(tmp_path: Path) -> None:
    asked = ask(TREES, ASKED, dev=[("where?", 0)])
    kept = keep_corpus(asked, tmp_path)
    (folder,) = tmp_path.iterdir()
    assert folder.name == kept.checksum[:12]
    assert read_beir(path=folder, test=None, name="trees") == kept
    assert [p.pseudo_queries for p in kept.passages] == [
        ("what is oak?", "which tree"),
        ("what grows",),
        ("which tree",),
    ]
    assert (kept.train, kept.dev, kept.test) == (asked.train, asked.dev, Split())
    assert keep_corpus(asked, tmp_path).checksum == kept.checksum
    assert len(list(tmp_path.iterdir())) == 1


def test_pseudo_queries_of_its_own_are_kept(tmp_path: Path) -> None:
    own = Corpus("own", (Passage("a", "Oak", "", ("an oak",)),), Split(), Split(), Split(), "")
    kept = keep_corpus(ask(own, [("what?", 0)], dev=[("who?", 0)], test=[("why?", 0)]), tmp_path)
    assert kept.passages == own.passages
    assert (next(tmp_path.iterdir()) / "qrels/test.tsv").exists()
    assert json.loads((next(tmp_path.iterdir()) / "corpus.jsonl").read_text())["_id"] == "a"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Corpus.from_texts("A tree."), r"one string as texts, expected a list"),
        (lambda: Corpus.from_texts([]), r"found no text"),
        (lambda: Corpus.from_texts(TEXTS, titles=["Oak"]), r"1 titles for 3 texts"),
        (lambda: Corpus.from_texts(TEXTS, ids=["a", "b", "a"]), r"passage 2.*'a' again.*passage 0"),
        (lambda: Corpus.from_texts(TEXTS, ids=["a", "b c", "d"]), r"passage 1.*white space"),
        (lambda: Corpus.from_texts(["A", None]), r"passage 1.*type NoneType, expected a string"),
        (lambda: Corpus.from_texts(["A", " "]), r"passage 1: found neither title nor text"),
        (lambda: ask(TREES, []), r"no train question"),
        (lambda: ask(TREES, [("what?", 0)]), r"expected at least 2"),
        (lambda: ask(TREES, ["what?"]), r"train question 0: found 'what\?', expected \(question"),
        (lambda: ask(TREES, [("what?", None)]), r"found \('what\?', None\), expected \(question"),
        (lambda: ask(TREES, [(" ", 0)]), r"question 0: found ' ', expected the text"),
        (lambda: ask(TREES, [("what?", [])]), r"question 0: found no passage"),
        (lambda: ask(TREES, [("what?", 3)]), r"found passage 3, expected a number from 0 to 2"),
        (lambda: ask(TREES, [("what?", -1)]), r"found passage -1"),
        (lambda: ask(TREES, ASKED, dev=[("what?", "z")]), r"dev question 0: found passage 'z'"),
    ],
)
def test_a_fault_names_its_place(make: Callable[[], Corpus], message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        make()
