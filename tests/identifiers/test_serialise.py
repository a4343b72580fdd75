"""Passages as a token stream, against a reconstruction one field at a time."""

from __future__ import annotations

import numpy as np
import pytest

from ltrgr.corpus.records import Passage
from ltrgr.identifiers.serialise import serialise
from ltrgr.identifiers.views import Family
from tiny_world import BODY, MINDER, QUERY, TITLE, small_vocabulary

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
