"""Writing a corpus as a BEIR folder, for other tools."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ltrgr.corpus.qrels import write_qrels
from ltrgr.corpus.records import Corpus
from ltrgr.errors import CorpusError

PSEUDO_QUERIES = "pseudo_queries.jsonl"


def write_beir(corpus: Corpus, directory: str | Path) -> Path:
    """Write ``corpus`` to a new ``directory``, completely or not at all, and return its path.

    ``read_beir(path=directory, pseudo_queries="pseudo_queries.jsonl")`` returns the same passages
    and splits. There is no such file where no passage has pseudo-queries, and no qrels file of a
    split without questions (then ``test=None``).

    Raises CorpusError if ``directory`` exists.
    """
    target = Path(directory).expanduser()
    if target.exists():
        raise CorpusError(
            f"found {target}, expected a new directory: remove it (rm -r {target}) or name another"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        _write_files(corpus, scratch)
        scratch.chmod(0o755)  # mkdtemp makes the directory private
        scratch.rename(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target


def _write_files(corpus: Corpus, folder: Path) -> None:
    splits = {"train": corpus.train, "dev": corpus.dev, "test": corpus.test}
    passages = ({"_id": p.id, "title": p.title, "text": p.text} for p in corpus.passages)
    _write_lines(folder / "corpus.jsonl", passages)
    queries = {query.id: query for split in splits.values() for query in split.queries}
    _write_lines(
        folder / "queries.jsonl",
        ({"_id": q.id, "text": q.text, "answers": q.answers} for q in queries.values()),
    )
    if any(passage.pseudo_queries for passage in corpus.passages):
        pseudo = ({"_id": p.id, "pseudo_queries": p.pseudo_queries} for p in corpus.passages)
        _write_lines(folder / PSEUDO_QUERIES, pseudo)
    (folder / "qrels").mkdir()
    for name, split in splits.items():
        if not split.queries:
            continue
        text = write_qrels(split.qrels)
        (folder / "qrels" / f"{name}.tsv").write_text(text, encoding="utf-8", newline="\n")


def _write_lines(path: Path, records: Iterable[dict[str, Any]]) -> None:
    text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    path.write_text(text, encoding="utf-8", newline="\n")
