"""Where a question stands as its own passage's pseudo-query, by hand."""

from __future__ import annotations

import numpy as np

from ltrgr.corpus.records import Passage, Query, Split
from ltrgr.identifiers.own_queries import own_query_ranges
from ltrgr.identifiers.serialise import serialise
from ltrgr.identifiers.tokenised import tokenise_questions
from tiny_world import MINDER, small_vocabulary

PASSAGES = [
    Passage("a", "who ran", "who ran", ("who swam", "who ran", "who ran")),
    Passage("b", "b", "who ran", ("who ran",)),
    Passage("c", "c", "text", ("who ran",)),
]
SPLIT = Split(
    queries=(Query("1", "who ran"), Query("2", "who sang"), Query("3", "who ran")),
    qrels={"1": {"a": 1, "b": 1, "c": 0}, "2": {"a": 1}, "3": {"c": 1}},
)
MARKED = np.array([True, False, True])


def test_ranges() -> None:
    vocabulary = small_vocabulary(PASSAGES, MINDER)
    corpus = serialise(PASSAGES, vocabulary=vocabulary)
    questions = tokenise_questions(SPLIT, PASSAGES, vocabulary=vocabulary, longest=64)
    offsets, starts, ends = own_query_ranges(questions, corpus, marked=MARKED)
    # Question 1: in passage a its title and two of three pseudo-queries, in b one; not the bodies,
    # not passage c (judged 0). Question 3: in c.
    assert offsets.tolist() == [0, 4, 4, 5]
    (ids,) = vocabulary.encode(["who ran"])
    title, query = (
        [vocabulary.token_id(f"<{m}>"), *ids.tolist(), vocabulary.token_id(f"</{m}>")]
        for m in ("title", "query")
    )
    found = [corpus.tokens[s:e].tolist() for s, e in zip(starts, ends, strict=True)]
    assert found == [title, query, query, query, query]
    passage = np.searchsorted(corpus.offsets, starts, side="right") - 1
    assert passage.tolist() == [0, 0, 0, 1, 2]


def test_no_own_query_no_range() -> None:
    vocabulary = small_vocabulary(PASSAGES, MINDER)
    corpus = serialise(PASSAGES, vocabulary=vocabulary)
    only = Split(queries=SPLIT.queries[1:2], qrels=SPLIT.qrels)
    questions = tokenise_questions(only, PASSAGES, vocabulary=vocabulary, longest=64)
    offsets, starts, ends = own_query_ranges(questions, corpus, marked=MARKED)
    assert offsets.tolist() == [0, 0]
    assert len(starts) == len(ends) == 0


def test_questions_and_their_passages() -> None:
    vocabulary = small_vocabulary(PASSAGES, MINDER)
    found = tokenise_questions(SPLIT, PASSAGES, vocabulary=vocabulary, longest=1)
    assert found.relevant_offsets.tolist() == [0, 2, 3, 4]
    assert found.relevant.tolist() == [0, 1, 0, 2]
    assert found.pair_question.tolist() == [0, 0, 1, 2]
    assert found.offsets.tolist() == [0, 1, 2, 3]
    assert (found.tokens == vocabulary.encode(["who"])[0][0]).all()
