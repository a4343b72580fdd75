"""Families and views: what they refuse, and how they are written down."""

from __future__ import annotations

import json

import pytest

from ltrgr.corpus.records import Passage
from ltrgr.identifiers.views import Family, View, pseudo_queries, texts, titles
from tiny_world import BODY, MINDER, QUERY, SEAL, TITLE


def test_one_marker_alone_is_refused() -> None:
    with pytest.raises(ValueError, match=r"both markers or none.*begin='<a>' end=None"):
        View(source=titles, prompt="<a>", begin="<a>", steps=3)
    with pytest.raises(ValueError, match="begin=None end='</a>'"):
        View(source=titles, prompt="<a>", end="</a>", steps=3)


def test_a_view_decodes_at_least_one_token() -> None:
    with pytest.raises(ValueError, match="steps=0"):
        View(source=titles, prompt="<a>", steps=0)


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
            "steps": 10,
            "draws": 10.0,
        }
    }


def test_order_of_names_is_order_of_views() -> None:
    assert MINDER.names == ["title", "body", "query"]
    assert Family({"q": QUERY, "t": TITLE}).names == ["q", "t"]


def test_sources_leave_out_what_is_blank() -> None:
    passage = Passage("p", "  ", "text", ("one", " ", "two"))
    assert titles(passage) == ()
    assert texts(passage) == ("text",)
    assert pseudo_queries(passage) == ("one", "two")
    assert texts(Passage("p", "t", "\n")) == ()
