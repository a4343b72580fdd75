"""Answer matching for open-domain question answering: the DPR rule.

A passage is a hit when one of the answers occurs in its text as published (no title, no
pseudo-queries) as a contiguous run of tokens, after Unicode NFD and lower case. A token is a run
of letters, digits and marks, or any other single character that is neither space nor control
(Karpukhin et al. 2020, arXiv 2004.04906; the tokens are those of DrQA).

Ours: in scripts that write no space between words (Chinese, Japanese, Thai, ...) each letter is a
token. With DPR's tokens an answer would have to be a whole clause there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ltrgr.corpus.records import Passage, Query
from ltrgr.evaluation.metrics import PerQuestion
from ltrgr.evaluation.trec import Run
from ltrgr.unspaced import UNSPACED

_UNSPACED_LETTER = re.compile(f"[{UNSPACED}]")


class _TokenTable(dict[int, str]):
    """Code point -> itself inside a word, a space for separators, spaced out for the rest.

    Filled as characters are met; ``str.translate`` then tokenises at the speed of C.
    """

    def __missing__(self, code: int) -> str:
        character = chr(code)
        kind = unicodedata.category(character)[0]
        spelled = {"L": character, "N": character, "M": character, "Z": " ", "C": " "}
        alone = kind == "L" and _UNSPACED_LETTER.match(character)
        self[code] = f" {character} " if alone else spelled.get(kind, f" {character} ")
        return self[code]


_TOKENS = _TokenTable()


def normalised(text: str) -> str:
    """The tokens of a text, each between single spaces; "" if it has none.

    Example:
        >>> normalised("Tromsø, 1850-60")
        ' tromsø , 1850 - 60 '
    """
    if not text.isascii():
        text = unicodedata.normalize("NFD", text)
    # Lower case comes after the split: the lower case of a letter may depend on its word's end.
    tokens = text.translate(_TOKENS).lower().split()
    return f" {' '.join(tokens)} " if tokens else ""


def holds_answer(text: str, answers: Iterable[str]) -> bool:
    """Whether any answer occurs in the text. An answer without tokens matches nothing.

    Example:
        >>> holds_answer("It lies on the Elbe.", ["the elbe"])
        True
        >>> holds_answer("It lies on the Elbe.", ["Elb"])
        False
    """
    return _holds(normalised(text), [normalised(answer) for answer in answers])


CUT_OFFS = (5, 20, 100)
ANSWER_MEASURES = tuple(f"answer_hits@{k}" for k in CUT_OFFS)


def answer_hits(
    run: Run,
    queries: Sequence[Query],
    passages: Mapping[str, Passage],
    *,
    ks: Sequence[int] = CUT_OFFS,
) -> PerQuestion:
    """hits@k by answer string: 1 where one of the first k passages holds an answer.

    Args:
        run: query id -> ranked passages; a query that is missing from it counts as 0.
        queries: the questions with their answers; those without answers are left out.
        passages: passage id -> passage.
        ks: cut-offs.

    Returns:
        "answer_hits@k" per question, by sorted query id.

    Raises:
        KeyError: the run names a passage that ``passages`` does not have.
    """
    asked = sorted((query for query in queries if query.answers), key=lambda query: query.id)
    seen: dict[str, str] = {}
    depth = max(ks, default=0)
    ranks = [
        _first_hit([passage for passage, _ in run.get(query.id, [])[:depth]], query, passages, seen)
        for query in asked
    ]
    values = {f"answer_hits@{k}": (np.array(ranks, dtype=float) <= k).astype(float) for k in ks}
    return PerQuestion(query_ids=tuple(query.id for query in asked), values=values)


def _first_hit(
    ranked: Sequence[str], query: Query, passages: Mapping[str, Passage], seen: dict[str, str]
) -> float:
    """Rank, from 1, of the first passage that holds an answer; infinity if none does."""
    answers = [tokens for answer in query.answers if (tokens := normalised(answer))]
    telling = [max(answer.split(), key=len) for answer in answers]
    for rank, passage_id in enumerate(ranked, start=1):
        text = _passage(passage_id, query, passages).text
        if passage_id not in seen:
            if _cannot_hold(text, telling):
                continue
            seen[passage_id] = normalised(text)
        if _holds(seen[passage_id], answers):
            return float(rank)
    return float("inf")


def _cannot_hold(text: str, telling: Sequence[str]) -> bool:
    """Whether a look at the raw text rules every answer out: most passages need no tokens.

    ``telling`` holds one token of each answer. Only ASCII is sure to keep a token's characters
    together and in lower case as they are.
    """
    lowered = text.lower()
    return text.isascii() and not any(token in lowered for token in telling)


def _holds(text: str, answers: Iterable[str]) -> bool:
    return any(answer in text for answer in answers if answer)


def _passage(passage_id: str, query: Query, passages: Mapping[str, Passage]) -> Passage:
    if passage_id not in passages:
        raise KeyError(
            f"found passage {passage_id!r} in the run of query {query.id!r}, expected an id of the "
            "corpus; the run belongs to another corpus: run ltrgr evaluate again"
        )
    return passages[passage_id]
