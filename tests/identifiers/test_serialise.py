"""Passages as a token stream, against a reconstruction one field at a time."""

from __future__ import annotations

import numpy as np
import pytest

from ltrgr.corpus.records import Passage
from ltrgr.identifiers.serialise import serialise
from ltrgr.identifiers.views import Family
from ltrgr.identifiers.vocabulary import Vocabulary
from tiny_world import (
    BODY,
    MINDER,
    QUERY,
    RANDOM,
    TITLE,
    TITLES,
    docid_family,
    small_vocabulary,
    word_piece,
)

PASSAGES = [
    Passage("a", "Ada", "Ada wrote notes.", ("who wrote notes", "what did Ada write")),
    Passage("b", "", "No title here."),
    Passage("c", "Only a title", ""),
    Passage("d", "Bob", "Bob ran. He <title> ran.", ("who ran",)),
]


@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_stream_fields_and_offsets(chunk: int) -> None:
    vocabulary = small_vocabulary(PASSAGES)
    found = serialise(PASSAGES, vocabulary=vocabulary, chunk=chunk)
    title, end_title, query, end_query, close = (
        vocabulary.token_id(m) for m in ("<title>", "</title>", "<query>", "</query>", "</passage>")
    )

    def ids(text: str) -> list[int]:
        return vocabulary.encode([text])[0].tolist()

    stream: list[int] = []
    offsets, fields, field_offsets = [0], [], [0]
    for p in PASSAGES:
        if p.title:
            fields.append((0, len(stream) + 1, len(stream) + 1 + len(ids(p.title))))
            stream += [title, *ids(p.title), end_title]
        if p.text:
            fields.append((1, len(stream), len(stream) + len(ids(p.text))))
            stream += ids(p.text)
        for q in p.pseudo_queries:
            fields.append((2, len(stream) + 1, len(stream) + 1 + len(ids(q))))
            stream += [query, *ids(q), end_query]
        stream.append(close)
        offsets.append(len(stream))
        field_offsets.append(len(fields))
    assert found.tokens.tolist() == stream
    assert found.offsets.tolist() == offsets
    assert found.field_offsets.tolist() == field_offsets == [0, 4, 5, 6, 9]
    rows = zip(found.field_view, found.field_start, found.field_end, strict=True)
    assert [tuple(map(int, row)) for row in rows] == fields


def test_views_stand_in_the_family_s_order() -> None:
    family = Family({"query": QUERY, "body": BODY, "title": TITLE})
    vocabulary = small_vocabulary(PASSAGES, family)
    found = serialise(PASSAGES[:1], vocabulary=vocabulary)
    assert found.field_view.tolist() == [0, 0, 1, 2]
    assert found.tokens[0] == vocabulary.token_id("<query>")


def test_only_structure_is_made_of_markers() -> None:
    """The marker's name inside passage d is text."""
    vocabulary = small_vocabulary(PASSAGES)
    found = serialise(PASSAGES, vocabulary=vocabulary)
    assert vocabulary.is_marker[found.tokens].sum() == 3 * 2 + 3 * 2 + 4
    inside = np.concatenate(
        [
            found.tokens[start:end]
            for start, end in zip(found.field_start, found.field_end, strict=True)
        ]
    )
    assert not vocabulary.is_marker[inside].any()


def test_no_passages() -> None:
    found = serialise([], vocabulary=small_vocabulary(PASSAGES, MINDER))
    assert len(found.tokens) == 0
    assert found.offsets.tolist() == [0]


@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_codes_stand_between_their_markers_before_the_text(chunk: int) -> None:
    codes = np.asarray([[2, 0], [1, -1], [3, 3], [0, 1]], np.int32)
    vocabulary = small_vocabulary(PASSAGES, docid_family(lambda passages: codes, symbols=4))
    found = serialise(PASSAGES, vocabulary=vocabulary, chunk=chunk)
    begin, end, close, *symbol = (
        vocabulary.token_id(t)
        for t in ("<docid>", "</docid>", "</passage>", "<id-0>", "<id-1>", "<id-2>", "<id-3>")
    )
    texts = [
        "Ada. Ada wrote notes.",
        "No title here.",
        "Only a title. ",
        "Bob. Bob ran. He <title>",
    ]
    texts[3] += " ran."
    ids = [encoded.tolist() for encoded in vocabulary.encode(texts)]
    stream = [
        [begin, symbol[2], symbol[0], end, *ids[0], close],
        [begin, symbol[1], end, *ids[1], close],
        [begin, symbol[3], symbol[3], end, *ids[2], close],
        [begin, symbol[0], symbol[1], end, *ids[3], close],
    ]
    assert found.tokens.tolist() == [token for passage in stream for token in passage]
    assert found.field_view.tolist() == [0, 1] * 4
    assert vocabulary.text([begin, symbol[2], symbol[0], end]) == "2-0"


def test_title_ids_are_text() -> None:
    twins = [Passage("a", "Ada", "one"), Passage("b", "Ada", "two")]
    vocabulary = small_vocabulary(PASSAGES, TITLES)
    found = serialise(twins, vocabulary=vocabulary)
    docids = [
        vocabulary.text(found.tokens[found.field_start[f] : found.field_end[f]]) for f in (0, 2)
    ]
    assert docids == ["Ada", "Ada 2"]


def test_a_docid_too_long_to_be_generated_is_refused() -> None:
    family = docid_family(RANDOM.views["docid"].docids, symbols=4, steps=1)
    with pytest.raises(ValueError, match=r"has 2 tokens.*decodes 1.*NAME.max_new_tokens=2"):
        serialise(PASSAGES, vocabulary=small_vocabulary(PASSAGES, family))


def test_docids_that_are_the_same_tokens_are_refused() -> None:
    vocabulary = Vocabulary(word_piece(["the oak is a tree"]), TITLES)  # knows no such signs
    twins = [Passage("a", "\u25b2", "oak"), Passage("b", "tree", "x"), Passage("c", "\u25bc", "y")]
    with pytest.raises(ValueError, match="passages 'a' and 'c' are the same to this tokenizer"):
        serialise(twins, vocabulary=vocabulary)
    with pytest.raises(ValueError, match="docid of passage 'd' has no token"):
        serialise([Passage("d", "\u200b", "oak"), twins[1]], vocabulary=vocabulary)


def test_a_passage_of_which_nothing_is_left_keeps_its_place(
    caplog: pytest.LogCaptureFixture,
) -> None:
    vocabulary = Vocabulary(word_piece(["the oak is a tree"]), MINDER)
    passages = [Passage("a", "oak", "tree"), Passage("z", "", "\u200b"), Passage("b", "", "the")]
    found = serialise(passages, vocabulary=vocabulary)
    assert np.diff(found.field_offsets).tolist() == [2, 0, 1]
    assert np.diff(found.offsets).tolist()[1] == 1  # the passage's end
    assert "1 of 3 passages hold no character that the tokenizer knows" in caplog.text
    assert "'z'" in caplog.text


def test_no_passages_have_no_docids() -> None:
    for family in (RANDOM, TITLES):
        assert len(serialise([], vocabulary=small_vocabulary(PASSAGES, family)).tokens) == 0
