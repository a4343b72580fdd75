"""The demo's passages: one per section of an entity."""

from __future__ import annotations

from random import Random

from ltrgr.corpus.demo_schema import read_kind, read_words
from ltrgr.corpus.demo_world import Entity
from ltrgr.corpus.records import Passage

_LEAST_WORDS = 46
_TAIL, _GENERIC, _FULL = 0.3, 0.4, 0.7


def write_passages(*, rng: Random, entities: tuple[Entity, ...]) -> dict[tuple[str, str], Passage]:
    """(title, section) -> passage, in the order of the entities; ids are ``p0``, ``p1``, ..."""
    pairs = [(entity, section) for entity in entities for section in entity.sections]
    return {
        (entity.name.title, section): Passage(
            id=f"p{i}", title=entity.name.title, text=_write_text(rng, entity, section, entities)
        )
        for i, (entity, section) in enumerate(pairs)
    }


def _write_text(rng: Random, entity: Entity, section: str, entities: tuple[Entity, ...]) -> str:
    kind = read_kind(entity.kind)
    facts = [fact for fact in kind.facts if fact.section == section]
    rng.shuffle(facts)
    sentences: list[str] = []
    for fact in facts:
        phrase = rng.choice(fact.text).replace("{role}", entity.role)
        subject = _subject(rng, entity, phrase) if sentences else entity.name.spoken
        sentence = phrase.format(s=subject, v=entity.values[fact.id].text)
        sentences.append(_finish(rng, sentence))
    while not _long_enough(rng, sentences):
        # A mention of a related entity without the fact makes ranking hard.
        other = _other(rng, entity, entities)
        phrase = rng.choice(kind.linked)
        sentence = phrase.format(s=_subject(rng, entity, phrase), o=other.name.spoken)
        sentences.insert(rng.randint(1, len(sentences)), _finish(rng, sentence))
    return " ".join(sentences)


def _subject(rng: Random, entity: Entity, phrase: str) -> str:
    """The subject of a sentence: a name, or a generic phrase if the sentence begins with it."""
    draw = rng.random()
    generic = read_kind(entity.kind).generic
    if draw < _GENERIC and phrase.startswith("{s}"):
        return rng.choice(generic).format(role=entity.role, they=entity.they)
    if draw < _FULL or not entity.name.short:
        return entity.name.spoken
    return rng.choice(entity.name.short)


def _finish(rng: Random, sentence: str) -> str:
    if rng.random() < _TAIL:
        sentence = f"{sentence[:-1]}, {rng.choice(read_words()['tails']['any'])}."
    return sentence[0].upper() + sentence[1:]


def _long_enough(rng: Random, sentences: list[str]) -> bool:
    words = sum(len(sentence.split()) for sentence in sentences)
    return words >= _LEAST_WORDS and (words >= 75 or rng.random() < 0.6)


def _other(rng: Random, entity: Entity, entities: tuple[Entity, ...]) -> Entity:
    if entity.linked and rng.random() < 0.7:
        return rng.choice(entity.linked)
    return rng.choice([e for e in rng.sample(entities, 2) if e is not entity])
