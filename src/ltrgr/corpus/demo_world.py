"""The demo's invented world: entities with names and facts."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from random import Random

from ltrgr.corpus.demo_names import Name, Namer
from ltrgr.corpus.demo_schema import KINDS, Fact, read_kind, read_words

# 11 entities have 38 sections, hence 38 passages: 2,000 passages hold about 580 entities.
_CYCLE = tuple(
    "place person firm work person river place event person work firm".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Value:
    """The value of a fact: in a sentence, as an answer, and as a question may name it."""

    text: str
    answer: str
    mentions: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Entity:
    """A subject of the encyclopaedia, with one passage per section."""

    kind: str
    role: str
    they: str
    name: Name
    sections: tuple[str, ...]
    values: dict[str, Value] = field(default_factory=dict)
    """fact id -> value"""
    linked: list[Entity] = field(default_factory=list, repr=False)
    """entities that have this one as a value"""

    @property
    def mentions(self) -> tuple[str, ...]:
        """Every way a question may name it, the full name first."""
        return (self.name.spoken, *self.name.short, *self.nicknames)

    @property
    def nicknames(self) -> tuple[str, ...]:
        return (self.name.nickname,) if self.name.nickname else ()


def build_world(*, rng: Random, passages: int) -> tuple[Entity, ...]:
    """Entities with exactly ``passages`` sections in all, and with the values of their facts."""
    entities = _name_entities(rng, passages)
    by_kind = {kind: [e for e in entities if e.kind == kind] for kind in KINDS}
    for entity in entities:
        for fact in read_kind(entity.kind).facts:
            entity.values[fact.id] = _draw_value(rng, entity, fact, by_kind)
    return entities


def _name_entities(rng: Random, passages: int) -> tuple[Entity, ...]:
    namer, words, left = Namer(rng), read_words(), passages
    entities: list[Entity] = []
    while left > 0:
        kind = _CYCLE[len(entities) % len(_CYCLE)]
        role = rng.choice(words["roles"][kind])
        sections = read_kind(kind).sections[:left]
        they = rng.choice(("he", "she")) if kind == "person" else "it"
        entities.append(Entity(kind, role, they, namer.draw(kind=kind, role=role), sections))
        left -= len(sections)
    return tuple(entities)


def _draw_value(rng: Random, entity: Entity, fact: Fact, by_kind: dict[str, list[Entity]]) -> Value:
    sort, *limits = fact.value.split(":")
    if sort in by_kind:
        other = rng.choice([e for e in by_kind[sort] if e is not entity])
        other.linked.append(entity)
        # A nickname would hide the value: a question about it could not be answered.
        return Value(other.name.spoken, other.name.title, (other.name.spoken, *other.name.short))
    if sort == "nickname":
        return _plain(entity.name.nickname)
    if sort == "oldname":
        return _plain(Namer(rng).draw_word("place"))
    if sort == "year":
        return _plain(str(rng.randint(int(limits[0]), int(limits[1]))))
    if sort == "number":
        return _plain(f"{rng.randint(int(limits[0]), int(limits[1]))} {limits[2]}")
    return _plain(rng.choice(read_words()[sort]))


def _plain(text: str) -> Value:
    return Value(text, text, (text,))


def group_mentions(entities: tuple[Entity, ...]) -> dict[tuple[str, str], list[Entity]]:
    """(kind, mention) -> the entities of that kind with that mention."""
    groups: dict[tuple[str, str], list[Entity]] = defaultdict(list)
    for entity in entities:
        for mention in dict.fromkeys(entity.mentions):
            groups[entity.kind, mention].append(entity)
    return dict(groups)


def group_values(entities: tuple[Entity, ...]) -> dict[tuple[str, str, str], list[Entity]]:
    """(kind, fact id, mention of the value) -> the entities that have the value."""
    groups: dict[tuple[str, str, str], list[Entity]] = defaultdict(list)
    for entity in entities:
        for fact, value in entity.values.items():
            for mention in dict.fromkeys(value.mentions):
                groups[entity.kind, fact, mention].append(entity)
    return dict(groups)
