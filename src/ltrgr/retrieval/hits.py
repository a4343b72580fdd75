"""What a search answers with: passages and the identifiers that found them."""

from __future__ import annotations

from dataclasses import dataclass

from ltrgr.corpus.records import Passage


@dataclass(frozen=True, slots=True)
class FoundBy:
    """One identifier that a passage was found by."""

    view: str
    text: str
    count: int
    """occurrences in the corpus"""
    weight: float
    """w(n, q)^a, before cover"""
    cover: float
    """share of the weight that counted, given the heavier identifiers"""


@dataclass(frozen=True, slots=True)
class Hit:
    """One retrieved passage; its score is the sum of weight * cover over ``found_by``."""

    passage: Passage
    score: float
    found_by: tuple[FoundBy, ...]
