"""The DPR answer rule: by hand, and against its published regular expression."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltrgr.corpus.records import Passage, Query
from ltrgr.evaluation.answers import answer_hits, holds_answer, normalised


@pytest.mark.parametrize(
    ("text", "answer", "expected"),
    [
        ("He was born in New York City.", "new york", True),
        ("He was born in New Yorkshire.", "new york", False),
        ("York is new.", "new york", False),
        ("the U.S. Army", "U.S.", True),
        ("the US Army", "U.S.", False),
        ("a 1850-60 war", "1850 - 60", True),
        ("Caf\u00e9 Central", "cafe\u0301", True),  # composed and decomposed
        ("Cafe Central", "caf\u00e9", False),  # the accent is part of the token
        ("twenty-one\u00a0men", "one men", True),
        ("on\u200be", "on e", True),  # a control or format character separates
        ("anything", "", False),
        ("anything", " \n", False),
        ("", "anything", False),
    ],
)
def test_rule_by_hand(text, answer, expected) -> None:
    assert holds_answer(text, [answer]) is expected


def dpr_tokens(text: str) -> list[str]:
    """The rule as published: DrQA's SimpleTokenizer, uncased, over NFD text."""
    regex = pytest.importorskip("regex")
    word = r"[\p{L}\p{N}\p{M}]+"
    pattern = regex.compile(f"({word})|([^\\p{{Z}}\\p{{C}}])", regex.UNICODE)
    return [match.group().lower() for match in pattern.finditer(unicodedata.normalize("NFD", text))]


# Letters of several scripts that both Unicode tables know, a final sigma, marks, separators.
ALPHABET = "aB Σσς.,'-\u00e9\u0301\u00a0\u200b\u0130\u0905\t\n3½$€ßﬁ"


@given(st.text(ALPHABET, max_size=30))
def test_tokens_are_those_of_dpr_in_scripts_with_spaces(text) -> None:
    assert normalised(text).split(" ")[1:-1] == dpr_tokens(text)


@given(st.text("aBΣ .-\u00e9", max_size=12), st.text("aBΣ .-\u00e9", max_size=4))
def test_matching_is_contiguous_subsequence(text, answer) -> None:
    words, wanted = dpr_tokens(text), dpr_tokens(answer)
    found = any(words[i : i + len(wanted)] == wanted for i in range(len(words)))
    expected = bool(wanted) and found
    assert holds_answer(text, [answer]) is expected
    passages = {"p": Passage(id="p", title="", text=text)}
    queries = [Query(id="q", text="", answers=(answer,))]
    hits = answer_hits({"q": [("p", 1.0)]}, queries, passages, ks=(1,))
    assert hits.values["answer_hits@1"].tolist() == [expected]


PASSAGES = {
    "1": Passage(id="1", title="Berlin", text="It lies on the Spree."),
    "2": Passage(id="2", title="Ulm", text="Far from Berlin.", pseudo_queries=("which spree?",)),
}


def test_answer_hits_by_hand() -> None:
    queries = [
        Query(id="c", text="missing from the run", answers=("Berlin",)),
        Query(id="a", text="second passage only", answers=("Rome", "berlin")),
        Query(id="b", text="first", answers=("the Spree",)),
        Query(id="d", text="title and pseudo-queries hold it, the text does not", answers=("Ulm",)),
        Query(id="e", text="no answers: left out"),
    ]
    ranked = [("1", 2.0), ("2", 1.0)]
    run = {"a": ranked, "b": ranked, "d": ranked, "e": ranked}
    result = answer_hits(run, queries, PASSAGES, ks=(1, 2))
    assert result.query_ids == ("a", "b", "c", "d")
    assert result.values["answer_hits@1"].tolist() == [0, 1, 0, 0]
    assert result.values["answer_hits@2"].tolist() == [1, 1, 0, 0]
    assert result.means() == {"answer_hits@1": 0.25, "answer_hits@2": 0.5}


def test_pseudo_queries_are_not_read() -> None:
    queries = [Query(id="a", text="", answers=("which spree",))]
    result = answer_hits({"a": [("2", 1.0)]}, queries, PASSAGES, ks=(1,))
    assert result.values["answer_hits@1"].tolist() == [0]


def test_a_run_of_another_corpus_is_refused() -> None:
    with pytest.raises(KeyError, match="passage '9' in the run of query 'a'"):
        answer_hits({"a": [("9", 1.0)]}, [Query(id="a", text="", answers=("x",))], PASSAGES)
