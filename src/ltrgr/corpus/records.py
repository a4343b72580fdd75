"""The records that every reader produces and everything above speaks."""

from __future__ import annotations

from dataclasses import dataclass, field

Qrels = dict[str, dict[str, int]]
"""query id -> passage id -> grade (relevant when the grade is above zero)."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One retrievable text as published: the title apart from the text."""

    id: str
    title: str
    text: str
    pseudo_queries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """A question; ``answers`` are the strings accepted by open-domain QA evaluation."""

    id: str
    text: str
    answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Split:
    """Questions with their relevance judgements."""

    queries: tuple[Query, ...] = ()
    qrels: Qrels = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Corpus:
    """Passages and the three splits; ``name`` is for people, ``checksum`` for fingerprints."""

    name: str
    passages: tuple[Passage, ...]
    train: Split
    dev: Split
    test: Split
    checksum: str
