"""A file chooses among known functions; it never makes anything else run."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import pytest

from ltrgr.identifiers.clusters import kmeans_ids
from ltrgr.identifiers.docids import random_ids, title_ids
from ltrgr.identifiers.functions import ForeignFunctionError, function_of, name_of
from ltrgr.identifiers.views import Family, View, pseudo_queries, texts, titled_texts, titles
from tiny_world import DOCID_FAMILIES, MINDER

OWN = [titles, texts, titled_texts, pseudo_queries, random_ids, title_ids, kmeans_ids]


def doubled(gain: float) -> float:
    return 2 * gain


@pytest.mark.parametrize("function", OWN)
def test_ours_are_found_by_their_names(function: object) -> None:
    assert function_of(name_of(function), where="x") is function


def test_a_given_function_is_found_by_its_name_and_no_other() -> None:
    name = f"{__name__}:doubled"
    assert function_of(name, given=[titles, doubled], where="x") is doubled
    assert function_of(name, given=[partial(doubled)], where="x") is doubled
    with pytest.raises(ForeignFunctionError, match=f"functions=\\[{name}\\]"):
        function_of(name, given=[titles], where="x")


@pytest.mark.parametrize(
    "name",
    [
        "os:system",
        "builtins:eval",
        "planted:source",
        "ltrgr.identifiers.views:fields",  # imported there, defined elsewhere
        "ltrgr.identifiers.views:partial",
        "ltrgr.identifiers.clusters:np.load",
        "ltrgr.identifiers.views:titles.__globals__",
        "ltrgr.identifiers.views:View",  # a class
        "ltrgr.identifiers.views:_read",
        "ltrgr.identifiers.views:",
        "ltrgr.identifiers.views.titles",
        "ltrgr.identifiers.views:gone",
        "ltrgr.disk:write_atomically",  # ours, but nothing that a view or a scoring calls
        "ltrgr.cli.main:main",
        "",
        None,
        7,
        ["os:system"],
        {"call": "os:system"},
    ],
)
def test_anything_else_is_refused_and_not_imported(
    name: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "planted.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ForeignFunctionError, match=r"^m/retriever\.json names the function"):
        function_of(name, where="m/retriever.json")
    for described in ({"source": name}, {"docids": {"call": name, "seed": 0}}):
        view = {"prompt": "<a>", "begin": "<a>", "end": "</a>", "steps": 3, **described}
        if name is not None or "docids" in described:
            with pytest.raises(ForeignFunctionError):
                Family.from_description({"a": view})
    assert not (tmp_path / "ran").exists()
    assert "planted" not in sys.modules


def test_families_of_ours_need_no_permission() -> None:
    for family in [MINDER, *DOCID_FAMILIES.values()]:
        assert Family.from_description(family.describe()) is not family


def test_a_view_of_the_user_s_own_comes_back_with_his_function() -> None:
    def first_words(passage: object) -> tuple[str, ...]:
        return ("one",)

    view = View(source=first_words, prompt="<a>", begin="<a>", end="</a>", max_new_tokens=3)
    described = Family({"a": view}).describe()
    again = Family.from_description(described, functions=[first_words])
    assert again.views["a"].source is first_words
    assert again.functions == [first_words]
