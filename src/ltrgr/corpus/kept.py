"""A corpus made in Python, kept as a BEIR folder, so that the command line reads the same one."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ltrgr.corpus.beir import read_beir
from ltrgr.corpus.beir_write import PSEUDO_QUERIES, write_beir
from ltrgr.corpus.records import Corpus

FOLDER = "corpus"
"""of the kept corpora, beside the folders of the stages"""


def keep_corpus(corpus: Corpus, directory: Path) -> Corpus:
    """Write ``corpus`` to ``<directory>/<first 12 of its checksum>/`` and read it from there.

    The checksum is that of the files, so the command line finds what was made from this corpus
    with ``corpus=beir corpus.path=<that folder>``, and where it has no test questions with
    ``corpus.test=null evaluation.split=dev``, too. The same corpus is kept once.

    Raises:
        CorpusError: a text, an id or a question cannot be written as a corpus.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=directory) as scratch:
        written = write_beir(corpus, Path(scratch) / "corpus")
        kept = read_beir(
            path=written,
            test="test" if corpus.test.queries else None,
            pseudo_queries=PSEUDO_QUERIES if (written / PSEUDO_QUERIES).exists() else None,
            name=corpus.name,
        )
        target = directory / kept.checksum[:12]
        if not target.exists():
            written.rename(target)
    return kept
