"""Annotations of settings: what they allow, and how they are spelt."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from annotated_types import MinLen

from ltrgr import typed
from ltrgr.typed import SettingsError, StoredSettingError, expect_fields, fits, spelt

VALUES = [
    True, 0, 1, 2, -1, 10**30, 1.0, 2.5, math.nan, math.inf, "", "a", None, [], [1], [-1],
    {}, {"a": 1}, {"a": -1}, {1: 1}, print, Path("x"),
]  # fmt: skip


def allowed(annotation: Any) -> list[Any]:
    return [value for value in VALUES if fits(annotation, value)]


@pytest.mark.parametrize(
    ("annotation", "expected", "words"),
    [
        (typed.Count, [1, 2], "a whole number, 1 or more"),
        (typed.CountOrZero, [0, 1, 2], "a whole number, 0 or more"),
        (typed.TwoOrMore, [2], "a whole number, 2 or more"),
        (typed.Length, [1, 2], "a whole number from 1 to 10,000"),
        (typed.Seed, [0, 1, 2], "a whole number from 0 to 4,294,967,295"),
        (typed.Positive, [1, 2, 1.0, 2.5], "a finite number above 0"),
        (typed.PositiveOrInfinite, [1, 2, 1.0, 2.5, math.inf], "a number above 0"),
        (typed.NotNegative, [0, 1, 2, 1.0, 2.5], "a finite number, 0 or more"),
        (typed.Fraction, [0, 1, 1.0], "a number from 0 to 1"),
        (typed.FractionBelowOne, [0], "a number, 0 or more and below 1"),
        (typed.Text, ["a"], "text, not empty"),
        (typed.Count | None, [1, 2, None], "a whole number, 1 or more, or null"),
        (bool, [True], "true or false"),
        (Literal["a", "b"], ["a"], "one of a, b"),
        (Path, ["", "a", Path("x")], "a path"),
        (Callable[[int], int] | None, [None, print], "a function, or null"),
        (Sequence[typed.Seed], [[], [1]], f"a list of {spelt(typed.Seed)}"),
        (Annotated[Sequence[int], MinLen(1)], [[1], [-1]], "a list of a whole number, not empty"),
        (
            Mapping[str, typed.NotNegative],
            [{}, {"a": 1}],
            "a mapping from text to a finite number, 0 or more",
        ),
        (SettingsError, [], "a SettingsError"),
    ],
)
def test_what_an_annotation_allows(annotation: Any, expected: list[Any], words: str) -> None:
    found = allowed(annotation)
    assert [(type(v), v) for v in found] == [(type(v), v) for v in expected]
    assert spelt(annotation) == words


@dataclass(frozen=True)
class Settings:
    steps: typed.Count = 1
    rate: typed.Positive = 1.0
    weights: Mapping[str, typed.NotNegative] | None = None
    seeds: Annotated[Sequence[typed.Seed], MinLen(1)] = (0,)

    def __post_init__(self) -> None:
        expect_fields("part", self)


def test_every_fault_has_a_line_with_its_key() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings(steps=0, rate=math.nan, weights={"a": 1, "b": -1}, seeds=[3, -1])
    assert str(caught.value).splitlines() == [
        "part.steps=0: expected a whole number, 1 or more",
        "part.rate=nan: expected a finite number above 0",
        "part.weights.b=-1: expected a finite number, 0 or more",
        "part.seeds[1]=-1: expected a whole number from 0 to 4,294,967,295",
    ]


def test_a_number_beyond_all_use_is_refused() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings(steps=10**30, rate=-1e308)
    assert str(caught.value).splitlines() == [
        f"part.steps={10**30}: expected a whole number, 1 or more, at most 1,000,000,000",
        "part.rate=-1e+308: expected a finite number above 0, at most 1,000,000,000",
    ]


def test_a_long_value_is_cut_off() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings(steps="x" * 10_000)  # type: ignore[arg-type]
    assert len(str(caught.value)) < 150


def test_settings_of_a_file() -> None:
    assert typed.stored_settings(Settings, {"steps": 3}, where="f.json") == Settings(steps=3)
    with pytest.raises(StoredSettingError, match=r"f\.json\.step is no setting .* steps, rate"):
        typed.stored_settings(Settings, {"step": 3}, where="f.json")
    with pytest.raises(StoredSettingError, match=r"f\.json\.steps=true: expected a whole number"):
        typed.stored_settings(Settings, {"steps": True}, where="f.json")
    with pytest.raises(StoredSettingError, match=r"f\.json is a list; expected an object"):
        typed.stored_settings(Settings, [], where="f.json")
