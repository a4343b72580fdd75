"""The result of a search: passages and the identifiers that found them."""

from __future__ import annotations

from dataclasses import dataclass

from ltrgr.corpus.records import Passage


@dataclass(frozen=True, slots=True)
class FoundBy:
    """One identifier that found a passage: a counted key of its score."""

    view: str
    """name of its view"""
    text: str
    """readable form"""
    count: int
    """occurrences in the corpus"""
    weight: float
    """key weight w(n, q), before coverage"""
    cover: float
    """coverage: the part of the weight that counted, given the heavier identifiers"""


@dataclass(frozen=True, slots=True)
class Hit:
    """One retrieved passage. Its score is the sum of weight * cover over ``found_by``."""

    passage: Passage
    score: float
    found_by: tuple[FoundBy, ...]
