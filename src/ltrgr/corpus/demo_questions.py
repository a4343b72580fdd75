"""The demo's questions: each asks for one fact; every passage that states it is relevant."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from ltrgr.corpus.demo_schema import Fact, read_kind
from ltrgr.corpus.demo_world import Entity, group_mentions, group_values
from ltrgr.corpus.records import Passage

# Chosen so that BM25 (k1 .9, b .4) has hits@1 near .5 and hits@5 near .75 on dev.
_INVERSE = 0.45  # fraction that asks for the subject, if the fact has such phrases
_QUIZ = 0.7  # fraction of held-out questions that share words with the passage
_FULL, _SHORT = 0.55, 0.92  # cumulative: full name, partial name, else nickname
_MOST_RELEVANT = 3  # a question with more relevant passages is too vague


@dataclass(frozen=True, slots=True)
class Question:
    """A question's text, its answers and the ids of its relevant passages."""

    text: str
    answers: tuple[str, ...]
    relevant: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A fact of an entity, the subject of a question."""

    entity: Entity
    fact: Fact


class Questioner:
    """Asks for facts of the world, in training's phrasings or in held-out ones."""

    def __init__(
        self, *, entities: tuple[Entity, ...], passages: dict[tuple[str, str], Passage]
    ) -> None:
        self._passages = passages
        self._by_mention = group_mentions(entities)
        self._by_value = group_values(entities)

    def ask(self, *, rng: Random, about: Asked, held: bool) -> Question | None:
        """Draw a question; None if it has more than three relevant passages."""
        fact, quiz = about.fact, held and rng.random() < _QUIZ
        if fact.inv and rng.random() < _INVERSE:
            phrases = (fact.inv_quiz if quiz else ()) or (fact.inv_held if held else fact.inv)
            return self._ask_subject(rng, about, rng.choice(phrases))
        phrases = (fact.quiz if quiz else ()) or (fact.held if held else fact.ask)
        return self._ask_value(rng, about, rng.choice(phrases))

    def _ask_value(self, rng: Random, about: Asked, phrase: str) -> Question | None:
        """A question that names the subject and asks for the value."""
        entity, fact = about.entity, about.fact
        mention = _mention(rng, entity, nickname=fact.value != "nickname")
        found = [
            other
            for other in self._by_mention[entity.kind, mention]
            if fact.section in other.sections
            and ("{role}" not in phrase or other.role == entity.role)
        ]
        answers = tuple(dict.fromkeys(other.values[fact.id].answer for other in found))
        return self._question(phrase.format(s=mention, role=entity.role), answers, found, fact)

    def _ask_subject(self, rng: Random, about: Asked, phrase: str) -> Question | None:
        """A question that names the value and asks for the subject."""
        entity, fact = about.entity, about.fact
        mentions = entity.values[fact.id].mentions
        mention = rng.choice(mentions[1:]) if mentions[1:] and rng.random() < 0.4 else mentions[0]
        found = [
            other
            for other in self._by_value[entity.kind, fact.id, mention]
            if fact.section in other.sections
            and ("{role}" not in phrase or other.role == entity.role)
        ]
        answers = tuple(dict.fromkeys(other.name.title for other in found))
        return self._question(phrase.format(v=mention, role=entity.role), answers, found, fact)

    def _question(
        self, text: str, answers: tuple[str, ...], found: list[Entity], fact: Fact
    ) -> Question | None:
        if len(found) > _MOST_RELEVANT:
            return None
        relevant = tuple(self._passages[e.name.title, fact.section].id for e in found)
        return Question(f"{text}?", answers, relevant)


def list_facts(entities: tuple[Entity, ...]) -> list[Asked]:
    """Every fact that some passage states, in the order of the entities."""
    return [
        Asked(entity, fact)
        for entity in entities
        for fact in read_kind(entity.kind).facts
        if fact.section in entity.sections
    ]


def _mention(rng: Random, entity: Entity, *, nickname: bool) -> str:
    draw = rng.random()
    if draw >= _SHORT and nickname and entity.nicknames:
        return entity.nicknames[0]
    if draw < _FULL or not entity.name.short:
        return entity.name.spoken
    return rng.choice(entity.name.short)
