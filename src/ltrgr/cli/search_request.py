"""Search request: what ``ltrgr search`` is asked for, checked before torch is imported for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ltrgr.errors import LtrgrError

NO_QUESTION = 'ltrgr search "who wrote ...?"'


class NoQuestionError(LtrgrError):
    """A search without anything to search for."""


class SearchRequestError(LtrgrError):
    """A setting of the search itself does not fit."""


def expect_request(cfg: Any) -> None:
    """Refuse what no search can answer.

    Raises:
        NoQuestionError: there is no question, or one of them has no letter and no digit.
        SearchRequestError: ``k`` or ``identifiers_shown`` is no such number, ``train`` is neither
            true nor false, or ``retriever`` is no folder.
    """
    _expect_number("k", cfg.k, least=1, of=" of passages")
    _expect_number("identifiers_shown", cfg.identifiers_shown, least=0)
    asked_questions(cfg)
    if not isinstance(cfg.train, bool):
        raise SearchRequestError(f"train={cfg.train}: expected true or false")
    if cfg.retriever is not None and not Path(str(cfg.retriever)).is_dir():
        raise SearchRequestError(
            f"retriever={cfg.retriever}: no such folder; give the directory of a finished "
            "`ltrgr pretrain` or `ltrgr rank` (they print it)"
        )


def asked_questions(cfg: Any) -> list[str]:
    """The questions, without the spaces around them; raises as ``expect_request`` does."""
    questions = [str(question).strip() for question in cfg.questions]
    if not questions:
        raise NoQuestionError(f"no question was asked; run: {NO_QUESTION}")
    for question in questions:
        if not any(character.isalnum() for character in question):
            raise NoQuestionError(
                f"the question {question!r} has no word in it; expected some text, such as: "
                f"{NO_QUESTION}"
            )
    return questions


def _expect_number(name: str, value: Any, *, least: int, of: str = "") -> None:
    if type(value) is int and value >= least:
        return
    hint = "; a question that begins so goes after --" if " " in str(value) else ""
    raise SearchRequestError(f"{name}={value}: expected a whole number{of}, {least} or more{hint}")
