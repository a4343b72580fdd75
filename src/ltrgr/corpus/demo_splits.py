"""Which questions of the demo go to which split."""

from __future__ import annotations

from random import Random

from ltrgr.corpus.demo_questions import Asked, Question, Questioner
from ltrgr.errors import CorpusError

_UNSEEN_QUESTIONS = 0.15  # fraction of dev and of test questions about unseen passages only
_UNASKED_FACTS = 0.3  # fraction of the facts that training never asks for
_ROUNDS = 12  # passes over the facts before the search for training questions ends


def ask_held_out(
    *,
    rng: Random,
    questioner: Questioner,
    facts: list[Asked],
    number: int,
    unseen: frozenset[str],
    taken: frozenset[str],
) -> tuple[list[Question], list[Asked]]:
    """``number`` questions in held-out phrasings, each about another fact, and the unused facts.

    No text is in ``taken``. Exactly 15 % of the questions have all their relevant passages in
    ``unseen``, so that every seed tests passages that training never asks about.

    Raises CorpusError if there are too few facts.
    """
    asked: list[Question] = []
    texts = set(taken)
    left: list[Asked] = []
    room = {True: round(number * _UNSEEN_QUESTIONS)}
    room[False] = number - room[True]
    for i, about in enumerate(facts):
        if len(asked) == number:
            return asked, left + facts[i:]
        question = questioner.ask(rng=rng, about=about, held=True)
        hidden = question is not None and unseen.issuperset(question.relevant)
        if question is None or question.text in texts or not room[hidden]:
            left.append(about)
            continue
        room[hidden] -= 1
        texts.add(question.text)
        asked.append(question)
    if len(asked) < number:
        raise _too_few("held-out", number, len(asked))
    return asked, left


def ask_training(
    *,
    rng: Random,
    questioner: Questioner,
    facts: list[Asked],
    number: int,
    unseen: frozenset[str],
    taken: frozenset[str],
) -> list[Question]:
    """``number`` different training questions, none with a relevant passage in ``unseen``.

    No text is in ``taken``.

    Raises CorpusError if there are too few facts.
    """
    asked: list[Question] = []
    texts = set(taken)
    for about in facts[: round(len(facts) * (1 - _UNASKED_FACTS))] * _ROUNDS:
        if len(asked) == number:
            return asked
        question = questioner.ask(rng=rng, about=about, held=False)
        if question is None or question.text in texts:
            continue
        if not unseen.isdisjoint(question.relevant):
            continue
        texts.add(question.text)
        asked.append(question)
    if len(asked) < number:
        raise _too_few("train", number, len(asked))
    return asked


def _too_few(split: str, wanted: int, found: int) -> CorpusError:
    return CorpusError(
        f"found {found} different {split} questions in this world, expected {wanted}: "
        "lower the number of questions or raise corpus.passages"
    )
