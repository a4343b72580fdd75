"""Families and views: what they refuse, and how they are written down."""

from __future__ import annotations

import json
from functools import partial

import pytest

from ltrgr.corpus.records import Passage
from ltrgr.identifiers.docids import random_ids, title_ids
from ltrgr.identifiers.views import Family, View, pseudo_queries, texts, titles
from tiny_world import BODY, KMEANS, MINDER, QUERY, RANDOM, READ, SEAL, TITLE, TITLES


def test_one_marker_alone_is_refused() -> None:
    with pytest.raises(ValueError, match=r"both markers or none.*begin='<a>' end=None"):
        View(source=titles, prompt="<a>", begin="<a>", max_new_tokens=3)
    with pytest.raises(ValueError, match="begin=None end='</a>'"):
        View(source=titles, prompt="<a>", end="</a>", max_new_tokens=3)


def test_a_view_decodes_at_least_one_token() -> None:
    with pytest.raises(ValueError, match="max_new_tokens=0"):
        View(source=titles, prompt="<a>", max_new_tokens=0)


def test_two_free_views_are_refused() -> None:
    with pytest.raises(ValueError, match=r"at most one without markers.*\['a', 'b'\]"):
        Family({"a": BODY, "b": BODY})


def test_a_family_without_views_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one view"):
        Family({})


@pytest.mark.parametrize("family", [SEAL, MINDER, Family({"docid": TITLE})])
def test_description_comes_back_through_json(family: Family) -> None:
    described = json.loads(json.dumps(family.describe()))
    assert Family.from_description(described) == family


def test_description_by_hand() -> None:
    assert Family({"body": BODY}).describe() == {
        "body": {
            "source": "ltrgr.identifiers.views:texts",
            "prompt": "<body>",
            "begin": None,
            "end": None,
            "max_new_tokens": 10,
            "sampling_weight": 10.0,
        }
    }


@pytest.mark.parametrize("family", [RANDOM, KMEANS, TITLES])
def test_description_of_docids_comes_back_through_json(family: Family) -> None:
    described = json.loads(json.dumps(family.describe()))
    again = Family.from_description(described)
    assert again.describe() == described
    passages = [Passage(str(i), f"title {i}", f"text number {i}") for i in range(9)]
    one, other = (f.views["docid"].docids for f in (family, again))
    assert one is not None
    assert other is not None
    assert list(map(list, one(passages))) == list(map(list, other(passages)))


def test_description_of_docids_by_hand() -> None:
    assert RANDOM.describe() == {
        "docid": {
            "docids": {"call": "ltrgr.identifiers.docids:random_ids", "symbols": 4, "seed": 0},
            "symbols": 4,
            "prompt": "<docid>",
            "begin": "<docid>",
            "end": "</docid>",
            "max_new_tokens": 12,
            "sampling_weight": 1.0,
        },
        "text": {
            "source": "ltrgr.identifiers.views:titled_texts",
            "searched": False,
            "prompt": "<text>",
            "begin": None,
            "end": None,
            "max_new_tokens": 1,
            "sampling_weight": 0.0,
        },
    }


def test_symbols_are_no_markers() -> None:
    assert RANDOM.symbols == ["<id-0>", "<id-1>", "<id-2>", "<id-3>"]
    assert not set(RANDOM.symbols) & set(RANDOM.markers)
    assert TITLES.symbols == MINDER.symbols == []


def test_views_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="a source or docids"):
        View(prompt="<a>", max_new_tokens=3)
    with pytest.raises(ValueError, match="a source or docids"):
        View(source=titles, docids=title_ids, prompt="<a>", max_new_tokens=3)
    with pytest.raises(ValueError, match="set begin and end"):
        View(docids=title_ids, prompt="<a>", max_new_tokens=3)
    with pytest.raises(ValueError, match="symbols=4 belong to docids"):
        View(source=titles, symbols=4, prompt="<a>", max_new_tokens=3)
    with pytest.raises(ValueError, match="found sampling_weight=2; set sampling_weight=0"):
        View(source=titles, searched=False, sampling_weight=2, prompt="<a>", max_new_tokens=3)
    with pytest.raises(ValueError, match=r"none of the views \['text'\] is searched"):
        Family({"text": READ})
    positional = View(
        docids=partial(random_ids, [], symbols=2),
        prompt="<a>",
        begin="<a>",
        end="</a>",
        max_new_tokens=3,
    )
    with pytest.raises(ValueError, match="keywords only"):
        Family({"docid": positional}).describe()


def test_order_of_names_is_order_of_views() -> None:
    assert MINDER.names == ["title", "body", "query"]
    assert Family({"q": QUERY, "t": TITLE}).names == ["q", "t"]


def test_sources_leave_out_what_is_blank() -> None:
    passage = Passage("p", "  ", "text", ("one", " ", "two"))
    assert titles(passage) == ()
    assert texts(passage) == ("text",)
    assert pseudo_queries(passage) == ("one", "two")
    assert texts(Passage("p", "t", "\n")) == ()
