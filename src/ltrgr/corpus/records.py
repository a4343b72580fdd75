"""The records of a corpus; every reader returns them, and all other rooms use them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

Qrels = dict[str, dict[str, int]]
"""query id -> passage id -> grade; a grade above zero means relevant."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One retrievable text as published; the title is separate from the text."""

    id: str
    title: str
    text: str
    pseudo_queries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """A question; ``answers`` are the strings that open-domain QA evaluation accepts."""

    id: str
    text: str
    answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Split:
    """Questions with their relevance judgements."""

    queries: tuple[Query, ...] = ()
    qrels: Qrels = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Corpus:
    """Passages and the three splits; ``name`` is for display, ``checksum`` for fingerprints."""

    name: str
    passages: tuple[Passage, ...]
    train: Split
    dev: Split
    test: Split
    checksum: str

    @classmethod
    def from_texts(
        cls,
        texts: Iterable[str],
        *,
        titles: Iterable[str] | None = None,
        ids: Iterable[str] | None = None,
        name: str = "texts",
    ) -> Corpus:
        """A corpus of your own texts, each one passage; ``ltrgr.train`` takes its questions.

        Args:
            titles: one for each text, "" where it has none.
            ids: unique, without white space; their numbers ("0", "1", ...) by default.

        Raises:
            CorpusError: a text or an id cannot be used; says which.

        >>> Corpus.from_texts(["A river.", "A town."], titles=["Elbe", "Ulm"]).passages[1]
        Passage(id='1', title='Ulm', text='A town.', pseudo_queries=())
        """
        from ltrgr.corpus.texts import corpus_of_texts

        return corpus_of_texts(texts, titles=titles, ids=ids, name=name)
