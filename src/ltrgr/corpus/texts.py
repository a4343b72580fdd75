"""A corpus from Python's own lists: passages, and questions with the passages that answer them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from numbers import Integral

from ltrgr.corpus.fields import read_id, read_text
from ltrgr.corpus.records import Corpus, Passage, Qrels, Query, Split
from ltrgr.corpus.split import hold_out_dev
from ltrgr.errors import CorpusError

Question = tuple[str, int | str | Sequence[int | str]]
"""a question and its relevant passages: one or several, each by its number or its id"""


def corpus_of_texts(
    texts: Iterable[str],
    *,
    titles: Iterable[str] | None = None,
    ids: Iterable[str] | None = None,
    name: str = "texts",
) -> Corpus:
    """Passages without questions; see ``Corpus.from_texts``."""
    if isinstance(texts, str):
        raise CorpusError("found one string as texts, expected a list of them: write [text]")
    texts = list(texts)
    if not texts:
        raise CorpusError("found no text, expected at least one")
    titles = _as_many(titles, texts, "titles", default=[""] * len(texts))
    ids = _as_many(ids, texts, "ids", default=[str(number) for number in range(len(texts))])
    seen: dict[str, str] = {}
    passages = []
    for number, (identity, title, text) in enumerate(zip(ids, titles, texts, strict=True)):
        record, where = {"_id": identity, "title": title, "text": text}, f"passage {number}"
        passages.append(
            Passage(
                read_id(record, where=where, seen=seen),
                read_text(record, "title", where=where),
                read_text(record, "text", where=where),
            )
        )
        if not title.strip() and not text.strip():
            raise CorpusError(f"{where}: found neither title nor text, expected one of them")
    content = json.dumps([asdict(passage) for passage in passages]).encode()
    checksum = hashlib.sha256(content).hexdigest()
    return Corpus(name, tuple(passages), Split(), Split(), Split(), checksum)


def ask(
    corpus: Corpus,
    train: Iterable[Question],
    *,
    dev: Iterable[Question] | None = None,
    test: Iterable[Question] | None = None,
) -> Corpus:
    """``corpus`` with questions of each split instead of its own; its checksum is not changed.

    Without ``dev``, 10 % of the training questions, at most 1,000, become dev.

    Raises:
        CorpusError: a question has no text, or names a passage that the corpus does not have.
    """
    ids = [passage.id for passage in corpus.passages]
    learned = _split(train, name="train", ids=ids)
    if dev is None:
        learned, held_out = hold_out_dev(learned)
    else:
        held_out = _split(dev, name="dev", ids=ids)
    asked = Split() if test is None else _split(test, name="test", ids=ids)
    return replace(corpus, train=learned, dev=held_out, test=asked)


def _as_many(
    given: Iterable[str] | None, texts: list[str], what: str, *, default: list[str]
) -> list[str]:
    found = default if given is None else list(given)
    if len(found) != len(texts):
        raise CorpusError(f"found {len(found)} {what} for {len(texts)} texts, expected as many")
    return found


def _split(questions: Iterable[Question], *, name: str, ids: list[str]) -> Split:
    known = set(ids)
    queries: list[Query] = []
    qrels: Qrels = {}
    for number, question in enumerate(questions):
        where = f"{name} question {number}"
        try:
            text, relevant = question
            one = isinstance(relevant, int | str | Integral)
            several = [relevant] if one else list(relevant)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            raise CorpusError(
                f"{where}: found {question!r}, expected (question, number or id of its passage)"
            ) from None
        if not isinstance(text, str) or not text.strip():
            raise CorpusError(f"{where}: found {text!r}, expected the text of a question")
        if not several:
            raise CorpusError(f"{where}: found no passage that answers it, expected at least one")
        query = Query(f"{name}-{number}", text)
        queries.append(query)
        qrels[query.id] = {_passage(passage, ids, known, where): 1 for passage in several}
    if not queries:
        raise CorpusError(f"found no {name} question, expected at least one")
    return Split(tuple(queries), qrels)


def _passage(one: object, ids: list[str], known: set[str], where: str) -> str:
    """The id of a passage that is given by its number or its id."""
    if isinstance(one, str) and one in known:
        return one
    if isinstance(one, Integral) and 0 <= int(one) < len(ids):
        return ids[int(one)]
    raise CorpusError(
        f"{where}: found passage {one!r}, expected a number from 0 to {len(ids) - 1} or the id of "
        "a passage"
    )
