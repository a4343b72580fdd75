"""Corpora in BEIR's folder layout: ``corpus.jsonl``, ``queries.jsonl``, ``qrels/<split>.tsv``.

Layout: Thakur et al. 2021, "BEIR" (arXiv 2104.08663). Every file may be gzipped (``.gz``).
Everything is checked before anything is returned.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable
from pathlib import Path

from ltrgr.corpus.beir_write import write_beir
from ltrgr.corpus.fields import read_id, read_text, read_texts
from ltrgr.corpus.oddities import EMPTY_PASSAGE, NULL, Oddities
from ltrgr.corpus.pseudo import add_pseudo_queries, add_training_questions
from ltrgr.corpus.qrels import read_qrels
from ltrgr.corpus.records import Corpus, Passage, Qrels, Query, Split
from ltrgr.corpus.source import Source, find_source, read_source
from ltrgr.corpus.split import check_disjoint, choose_queries, hold_out_dev
from ltrgr.errors import CorpusError
from ltrgr.typed import Count

__all__ = ["read_beir", "write_beir"]

log = logging.getLogger(__name__)

SPLITS = ("train", "dev", "test")
ENDS = (".tsv", ".tsv.gz")


def read_beir(
    *,
    path: str | Path,
    train: str | None = "train",
    dev: str | None = "dev",
    test: str | None = "test",
    pseudo_queries: str | Path | None = None,
    pseudo_queries_from_training: bool = True,
    max_test_queries: Count | None = None,
    name: str | None = None,
    strict: bool = False,
) -> Corpus:
    """Read and check a BEIR folder.

    ``train``, ``dev`` and ``test`` name the qrels files. A split keeps the queries with a relevant
    passage, in the order of the queries file. With ``dev=None``, 10 % of train, at most 1,000
    queries, become dev. A hash of the query ids chooses them, so the order of the files does not
    matter. With ``test=None`` there are no test questions. Many published corpora have a test split
    alone: where there is no file of ``train`` or with ``train=None``, training and a missing dev
    split are empty.

    What published corpora hold besides (`oddities`: scores below 0, judgements of unknown passages
    and queries, empty passages, null titles) is read over, counted and logged; with ``strict`` it
    is refused.

    ``pseudo_queries`` names a jsonl file of ``{"_id": passage id, "pseudo_queries": [...]}`` (or
    ``"queries"``), in the folder or relative to the working directory. Without it, each passage
    takes its own training questions, never one of dev or test; with
    ``pseudo_queries_from_training=False`` it has none. ``max_test_queries`` keeps that number of
    test queries, chosen by the same hash.

    Raises CorpusError with file and line if a file is missing or malformed.
    """
    folder = Path(path).expanduser()
    oddities = Oddities(strict=strict)
    files = _read_files(folder, _splits_that_are_there(folder, train=train, dev=dev, test=test))
    if pseudo_queries is not None:
        files["pseudo"] = read_source(_find_pseudo_queries(folder, Path(pseudo_queries)))
    passages, empty = _read_passages(files["corpus"], oddities)
    queries = _read_queries(files["queries"])
    judged = {
        split: read_qrels(
            files[split], queries=queries, passages=passages, oddities=oddities, empty=empty
        )
        for split in SPLITS
        if split in files
    }
    oddities.report()  # before a split is refused: they may be the reason
    splits = {split: _build_split(queries, qrels, files[split]) for split, qrels in judged.items()}
    if dev is None and "train" in splits:
        splits["train"], splits["dev"] = hold_out_dev(splits["train"])
    for split in SPLITS:
        splits.setdefault(split, Split())
    check_disjoint(splits)
    if max_test_queries is not None:
        splits["test"] = choose_queries(splits["test"], most=max_test_queries)
    written: Iterable[Passage] = passages.values()
    if "pseudo" in files:
        written = add_pseudo_queries(files["pseudo"], passages=passages)
    elif pseudo_queries_from_training:
        written = add_training_questions(written, splits=splits)
    options: list[object] = [train, dev, test, bool(pseudo_queries_from_training), max_test_queries]
    return Corpus(
        name=name or folder.resolve().name,
        passages=tuple(written),
        train=splits["train"],
        dev=splits["dev"],
        test=splits["test"],
        checksum=_checksum(files, options),
    )


def _splits_that_are_there(
    folder: Path, *, train: str | None, dev: str | None, test: str | None
) -> dict[str, str | None]:
    """The files to read. A folder without a training file, and with a test file, is a corpus to
    measure on: it has no training split, and no dev split unless there is a file of it."""
    qrels = folder / "qrels"

    def lacks(stem: str | None) -> bool:
        return stem is None or not any((qrels / f"{stem}{end}").is_file() for end in ENDS)

    if not lacks(train) or lacks(test):
        return {"train": train, "dev": dev, "test": test}
    log.warning(
        "%s has no training questions (qrels/%s.tsv): it can be measured on, not trained on",
        folder,
        train or "train",
    )
    return {"train": None, "dev": None if lacks(dev) else dev, "test": test}


def _read_files(folder: Path, splits: dict[str, str | None]) -> dict[str, Source]:
    """Read the needed files; all are located before the first is read."""
    found = {
        "corpus": find_source(folder=folder, name="corpus.jsonl"),
        "queries": find_source(folder=folder, name="queries.jsonl"),
    }
    for split, stem in splits.items():
        if stem is not None:
            found[split] = _find_split(folder / "qrels", split, stem)
    return {key: read_source(file) for key, file in found.items()}


def _find_split(folder: Path, split: str, stem: str) -> Path:
    if not folder.is_dir():
        raise CorpusError(
            f"{folder.parent} has no folder qrels/: expected {folder}/{stem}.tsv (or .tsv.gz) with "
            "lines of query-id, corpus-id and score, which say which passages answer a question"
        )
    try:
        return find_source(folder=folder, name=f"{stem}.tsv")
    except CorpusError as error:
        cure = f"set corpus.{split} to the name of another file in {folder}"
        if split == "dev":
            cure = f"set corpus.dev=null to hold 10 % of train out, or {cure}"
        raise CorpusError(f"{error} ({split} split: {cure})") from None


def _find_pseudo_queries(folder: Path, file: Path) -> Path:
    places = (folder / file.expanduser(), file.expanduser())
    for place in places:
        if place.is_file():
            return place
    raise CorpusError(
        f"found no file of pseudo-queries at {places[0]} or {places[1]}: correct "
        "corpus.pseudo_queries, or set it to null to use the training questions"
    )


def _read_passages(source: Source, oddities: Oddities) -> tuple[dict[str, Passage], set[str]]:
    """The passages by id, and the ids of those without title and text, which are left out."""
    seen: dict[str, str] = {}
    passages: dict[str, Passage] = {}
    empty: set[str] = set()
    for where, record in source.records():
        identity = read_id(record, where=where, seen=seen)
        for name in ("title", "text"):
            if name in record and record[name] is None:
                oddities.add(NULL, where)
                record[name] = ""
        title = read_text(record, "title", where=where, default="")
        other = set(record) - {"_id", "title", "text", "metadata"}  # maybe a misspelt "text"
        text = read_text(record, "text", where=where, default=None if other else "")
        if not title.strip() and not text.strip():
            oddities.add(EMPTY_PASSAGE, where)
            empty.add(identity)
            continue
        passages[identity] = Passage(identity, title, text)
    if not passages:
        raise CorpusError(f"{source.path}: found no passage, expected at least one line")
    return passages, empty


def _read_queries(source: Source) -> dict[str, Query]:
    seen: dict[str, str] = {}
    queries: dict[str, Query] = {}
    for where, record in source.records():
        identity = read_id(record, where=where, seen=seen)
        text = read_text(record, "text", where=where)
        if not text.strip():
            raise CorpusError(
                f"{where}: found query {identity!r} without text, expected a question: fill it in, "
                "or delete the line and its qrels"
            )
        queries[identity] = Query(identity, text, read_texts(record, "answers", where=where))
    return queries


def _build_split(queries: dict[str, Query], qrels: Qrels, source: Source) -> Split:
    """The queries with a relevant passage, in the order of the queries file."""
    kept = tuple(q for q in queries.values() if any(g > 0 for g in qrels.get(q.id, {}).values()))
    if not kept:
        raise CorpusError(
            f"{source.path}: found no query with a relevant passage, expected at least one line "
            "with a score above 0"
        )
    return Split(kept, {query.id: qrels[query.id] for query in kept})


def _checksum(files: dict[str, Source], options: list[object]) -> str:
    """sha256 over the content and the options, not over paths."""
    digests = {key: source.digest for key, source in sorted(files.items())}
    return hashlib.sha256(json.dumps([digests, options]).encode()).hexdigest()
