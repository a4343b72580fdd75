"""The demo's pseudo-queries, in the style of a trained question generator, faults included."""

from __future__ import annotations

from random import Random

from ltrgr.corpus.demo_questions import Asked
from ltrgr.corpus.demo_schema import read_kind
from ltrgr.corpus.demo_world import Entity

_LEAST, _MOST = 3, 6
_ABOUT = (
    "{s} {k}",
    "{k} of {s}",
    "what is the {k} of {s}",
    "{s} {k} facts",
    "tell me the {k} of {s}",
)
_BY_VALUE = ("{v} {k}", "{s} {v}", "{v} {s} {k}")
_GENERIC = ("what is {s} known for", "{s} history", "{s} {role}", "information about {s}")
_SHARES = (6, 2, 1, 1)  # about the fact, by its value, generic, of a wrong section


def write_pseudo_queries(
    *, rng: Random, entity: Entity, section: str, forbidden: frozenset[str]
) -> tuple[str, ...]:
    """Three to six different queries for one passage, none of them in ``forbidden``."""
    wanted, written = rng.randint(_LEAST, _MOST), dict[str, None]()
    while len(written) < wanted:
        query = _draw_query(rng, entity, section)
        if query not in forbidden and f"{query}?" not in forbidden:
            written[query] = None
    return tuple(written)


def _draw_query(rng: Random, entity: Entity, section: str) -> str:
    facts = [Asked(entity, fact) for fact in read_kind(entity.kind).facts]
    here = [asked for asked in facts if asked.fact.section == section]
    sort = rng.choices(("about", "value", "generic", "wrong"), weights=_SHARES)[0]
    asked = rng.choice(facts if sort == "wrong" else here)
    phrases = {"value": _BY_VALUE, "generic": _GENERIC}.get(sort, _ABOUT)
    subject = rng.choice((entity.name.title, entity.name.title, *entity.name.short))
    return rng.choice(phrases).format(
        s=subject,
        k=asked.fact.key,
        v=entity.values[asked.fact.id].answer,
        role=entity.role,
    )
