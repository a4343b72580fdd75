"""The facts of each kind of entity in the demo and their phrasings, read from ``demo_facts/``.

One TOML file per kind. A table ``[section.name]`` is a fact; its fields are phrases, in which
``{s}`` stands for the subject, ``{v}`` for the value, ``{role}`` for the subject's role, and
``[one|other]`` for a choice, expanded to all its phrases when the file is read.

- ``text``: how a passage states the fact;
- ``ask`` and ``inv``: how training asks for the value and, the other way round, for the subject;
- ``held`` and ``inv_held``: how dev and test ask; training never has these. This module adds quiz
  phrasings (a statement with a gap: "{s} was born in which place"), so that some held-out
  questions share words with the passage and others share none;
- ``key``: the fact in a word or two; pseudo-queries use it;
- ``value``: a kind of entity, a list of ``words.toml``, ``year:low:high`` or
  ``number:low:high:unit``.
"""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

KINDS = ("place", "river", "person", "firm", "work", "event")
_CHOICE = re.compile(r"\[([^\]]*)\]")
_GAP = re.compile(r"((the|a) )?\{v\}", re.IGNORECASE)
_GAP_WORDS = {
    "place": "which place",
    "river": "which river",
    "person": "which person",
    "firm": "which company",
    "work": "which work of art",
    "year": "what year",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One statement about every entity of a kind; it belongs to one section."""

    id: str
    section: str
    key: str
    value: str
    text: tuple[str, ...]
    ask: tuple[str, ...]
    held: tuple[str, ...]
    quiz: tuple[str, ...]
    inv: tuple[str, ...]
    inv_held: tuple[str, ...]
    inv_quiz: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of entity: how texts refer to an entity, and its facts in section order."""

    name: str
    generic: tuple[str, ...]
    linked: tuple[str, ...]
    facts: tuple[Fact, ...]

    @property
    def sections(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(fact.section for fact in self.facts))


@cache
def read_words() -> dict[str, Any]:
    """The closed lists and the parts of names."""
    return _read_toml("words")


@cache
def read_kind(name: str) -> Kind:
    """The kind called ``name``, one of :data:`KINDS`."""
    table = _read_toml(name)
    generic, linked = table.pop("generic"), table.pop("linked")
    roles = read_words()["roles"][name]
    facts = tuple(
        _read_fact(section, fact, fields, roles)
        for section, group in table.items()
        for fact, fields in group.items()
    )
    return Kind(name=name, generic=tuple(generic), linked=tuple(linked), facts=facts)


def expand_phrase(phrase: str) -> list[str]:
    """All variants of a phrase with choices.

    >>> expand_phrase("[where|in which town] was {s} born")
    ['where was {s} born', 'in which town was {s} born']
    """
    parts = _CHOICE.split(phrase)  # plain text at even places, choices at odd ones
    options = [part.split("|") if i % 2 else [part] for i, part in enumerate(parts)]
    return ["".join(reading) for reading in itertools.product(*options)]


def _read_toml(name: str) -> dict[str, Any]:
    path = resources.files("ltrgr.corpus").joinpath("demo_facts", f"{name}.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _read_fact(section: str, name: str, fields: dict[str, Any], roles: list[str]) -> Fact:
    ask, inv = _expand_all(fields["ask"]), _expand_all(fields.get("inv", ()))
    statements = [phrase for phrase in fields["text"] if "{role}" not in phrase]
    quiz = [_GAP.sub(_gap_words(fields["value"]), phrase) for phrase in statements]
    # A kind with a single role asks "which town"; other kinds ask "which {role}".
    which = f"which {roles[0]}" if len(roles) == 1 else "which {role}"
    inv_quiz = [phrase.replace("{s}", which) for phrase in statements] if inv else []
    return Fact(
        id=f"{section}.{name}",
        section=section,
        key=fields["key"],
        value=fields["value"],
        text=tuple(fields["text"]),
        ask=ask,
        held=_expand_all(fields["held"]),
        quiz=tuple(q for q in map(_as_question, quiz) if q not in ask),
        inv=inv,
        inv_held=_expand_all(fields.get("inv_held", ())),
        inv_quiz=tuple(q for q in map(_as_question, inv_quiz) if q not in inv),
    )


def _gap_words(value: str) -> str:
    """The words that replace the value in a quiz phrasing."""
    sort, *limits = value.split(":")
    return f"how many {limits[2]}" if sort == "number" else _GAP_WORDS.get(sort, "what")


def _as_question(statement: str) -> str:
    return statement[0].lower() + statement[1:].removesuffix(".")


def _expand_all(phrases: Iterable[str]) -> tuple[str, ...]:
    return tuple(reading for phrase in phrases for reading in expand_phrase(phrase))
