"""The result of a search: passages and the identifiers that found them."""

from __future__ import annotations

from dataclasses import dataclass

from ltrgr.corpus.records import Passage


@dataclass(frozen=True, slots=True)
class IdentifierMatch:
    """One identifier that found a passage: a counted key of its score."""

    view: str
    """name of its view"""
    text: str
    """readable form"""
    count: int
    """occurrences in the corpus"""
    weight: float
    """key weight w(n, q), before coverage"""
    coverage: float
    """coverage: the part of the weight that counted, given the heavier identifiers"""


@dataclass(frozen=True, slots=True)
class Hit:
    """One retrieved passage. Its score is the sum of weight * coverage over ``matches``."""

    passage: Passage
    score: float
    matches: tuple[IdentifierMatch, ...]

    @property
    def title(self) -> str:
        """The passage's title; empty where it has none."""
        return self.passage.title

    @property
    def text(self) -> str:
        """The passage's text."""
        return self.passage.text
