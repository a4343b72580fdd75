"""The pseudo-queries of passages: from a file, or from their own training questions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from ltrgr.corpus.fields import read_id, read_texts
from ltrgr.corpus.records import Passage, Split
from ltrgr.corpus.source import Source
from ltrgr.errors import CorpusError


def add_pseudo_queries(source: Source, *, passages: Mapping[str, Passage]) -> list[Passage]:
    """The passages with the pseudo-queries of a jsonl file, each once.

    A line is ``{"_id": passage id, "pseudo_queries": [...]}``, or with ``"queries"``. A passage
    without a line has none.

    Raises CorpusError on an unknown or repeated passage id and on anything but lists of strings.
    """
    seen: dict[str, str] = {}
    texts: dict[str, tuple[str, ...]] = {}
    for where, record in source.records():
        identity = read_id(record, where=where, seen=seen)
        if identity not in passages:
            raise CorpusError(
                f"{where}: found passage id {identity!r}, expected one of the corpus file: "
                "delete the line or correct the id"
            )
        key = "pseudo_queries" if "pseudo_queries" in record else "queries"
        if key not in record:
            raise CorpusError(
                f"{where}: found only {sorted(record)}, "
                'expected {"_id": "...", "pseudo_queries": ["...", ...]}'
            )
        texts[identity] = tuple(dict.fromkeys(read_texts(record, key, where=where)))
    return [replace(p, pseudo_queries=texts.get(p.id, ())) for p in passages.values()]


def add_training_questions(
    passages: Iterable[Passage], *, splits: Mapping[str, Split]
) -> list[Passage]:
    """The passages with their own training questions, except those that dev or test also has."""
    barred = {_fold(q.text) for name in ("dev", "test") for q in splits[name].queries}
    texts: dict[str, dict[str, None]] = defaultdict(dict)
    train = splits["train"]
    for query in train.queries:
        if _fold(query.text) in barred:
            continue
        for passage, grade in train.qrels[query.id].items():
            if grade > 0:
                texts[passage][query.text] = None
    return [replace(p, pseudo_queries=tuple(texts.get(p.id, ()))) for p in passages]


def _fold(text: str) -> str:
    """A normal form: texts that differ only in case, white space or final punctuation are equal."""
    return " ".join(text.casefold().split()).rstrip("?.! ")
