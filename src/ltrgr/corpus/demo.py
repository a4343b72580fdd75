"""The built-in demo corpus: a small invented encyclopaedia with questions.

It shows every effect of the method in minutes on any machine. It is not a benchmark: its language
is a grammar of a few hundred phrases, and its figures say nothing about real text.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from random import Random
from typing import Annotated

from annotated_types import Ge, Le

from ltrgr.corpus.demo_pseudo import write_pseudo_queries
from ltrgr.corpus.demo_questions import Question, Questioner, list_facts
from ltrgr.corpus.demo_splits import ask_held_out, ask_training
from ltrgr.corpus.demo_text import write_passages
from ltrgr.corpus.demo_world import Entity, build_world
from ltrgr.corpus.records import Corpus, Passage, Query, Split
from ltrgr.errors import CorpusError
from ltrgr.typed import CountOrZero, Seed

_FEWEST_PASSAGES = 80
NumPassages = Annotated[int, Ge(_FEWEST_PASSAGES), Le(1_000_000)]
_UNSEEN_PASSAGES = 0.15  # fraction of the passages that no training question is about

Passages = dict[tuple[str, str], Passage]
"""(title, section) -> passage"""


def generate_demo(
    *,
    seed: Seed = 0,
    passages: NumPassages = 2000,
    train_questions: CountOrZero = 10000,
    dev_questions: CountOrZero = 1000,
    test_questions: CountOrZero = 1000,
) -> Corpus:
    """Generate the encyclopaedia of ``seed``; the same arguments give the same bytes everywhere.

    No training question is about at least 15 % of the passages. 15 % of the dev and of the test
    questions are about these passages. Dev and test have phrasings that training never has, and
    each of their questions asks for another fact. Each relevant passage of a question holds one of
    its answers. Passages do not depend on the numbers of questions.

    Raises CorpusError if the world has too few facts for the questions.
    """
    if passages < _FEWEST_PASSAGES:
        raise CorpusError(
            f"found passages={passages}, expected at least {_FEWEST_PASSAGES}: "
            f"set corpus.passages={_FEWEST_PASSAGES}"
        )
    entities = build_world(rng=Random(f"{seed}/world"), passages=passages)
    texts = write_passages(rng=Random(f"{seed}/text"), entities=entities)
    wanted = {"train": train_questions, "dev": dev_questions, "test": test_questions}
    asked = _ask_all(seed, entities, texts, wanted)
    written = _add_pseudo_queries(seed, entities, texts, _texts(asked))
    splits = {name: _build_split(name, questions) for name, questions in asked.items()}
    return Corpus(
        name=f"demo-{seed}",
        passages=written,
        train=splits["train"],
        dev=splits["dev"],
        test=splits["test"],
        checksum=_checksum(written, asked),
    )


def _ask_all(
    seed: int, entities: tuple[Entity, ...], texts: Passages, wanted: dict[str, int]
) -> dict[str, list[Question]]:
    questioner = Questioner(entities=entities, passages=texts)
    ids = [passage.id for passage in texts.values()]
    unseen = frozenset(Random(f"{seed}/unseen").sample(ids, round(len(ids) * _UNSEEN_PASSAGES)))
    facts = list_facts(entities)
    Random(f"{seed}/facts").shuffle(facts)
    left = Random(f"{seed}/held").sample(facts, len(facts))
    asked: dict[str, list[Question]] = {}
    for split in ("test", "dev"):
        asked[split], left = ask_held_out(
            rng=Random(f"{seed}/{split}"),
            questioner=questioner,
            facts=left,
            number=wanted[split],
            unseen=unseen,
            taken=_texts(asked),
        )
    asked["train"] = ask_training(
        rng=Random(f"{seed}/train"),
        questioner=questioner,
        facts=facts,
        number=wanted["train"],
        unseen=unseen,
        taken=_texts(asked),
    )
    return asked


def _texts(asked: dict[str, list[Question]]) -> frozenset[str]:
    return frozenset(question.text for split in asked.values() for question in split)


def _add_pseudo_queries(
    seed: int, entities: tuple[Entity, ...], texts: Passages, forbidden: frozenset[str]
) -> tuple[Passage, ...]:
    rng = Random(f"{seed}/pseudo")
    by_title = {entity.name.title: entity for entity in entities}
    return tuple(
        replace(
            passage,
            pseudo_queries=write_pseudo_queries(
                rng=rng, entity=by_title[title], section=section, forbidden=forbidden
            ),
        )
        for (title, section), passage in texts.items()
    )


def _build_split(name: str, questions: list[Question]) -> Split:
    queries = tuple(Query(f"{name}{i}", q.text, q.answers) for i, q in enumerate(questions))
    qrels = {f"{name}{i}": dict.fromkeys(q.relevant, 1) for i, q in enumerate(questions)}
    return Split(queries, qrels)


def _checksum(passages: tuple[Passage, ...], asked: dict[str, list[Question]]) -> str:
    """sha256 over everything in the corpus."""
    digest = hashlib.sha256()
    for p in passages:
        digest.update(json.dumps([p.id, p.title, p.text, p.pseudo_queries]).encode())
    for name, questions in asked.items():
        for q in questions:
            digest.update(json.dumps([name, q.text, q.answers, q.relevant]).encode())
    return digest.hexdigest()
