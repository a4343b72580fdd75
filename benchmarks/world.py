"""What is measured: a corpus as token ids, with questions and the means to draw fresh keys."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.resample import Tokens, resample
from ltrgr.corpus.beir import read_beir
from ltrgr.corpus.demo import generate_demo
from ltrgr.corpus.records import Corpus
from ltrgr.corpus.store import PassageStore
from ltrgr.identifiers.serialise import serialise
from ltrgr.identifiers.views import Family, View, texts, titles
from ltrgr.identifiers.vocabulary import Vocabulary, train_byte_level_bpe
from ltrgr.index.fm_index import FMIndex

SEAL = Family(
    {
        "title": View(
            source=titles, prompt="<title>", begin="<title>", end="</title>", max_new_tokens=15
        ),
        "body": View(source=texts, prompt="<body>", max_new_tokens=10),
    }
)


@dataclass(frozen=True, kw_only=True)
class World:
    """N tokens of P passages, and the directory where the index over them lies once built."""

    name: str
    tokens: Tokens
    offsets: NDArray[np.int64]
    vocabulary: Vocabulary
    questions: list[str]
    directory: Path

    @property
    def index_directory(self) -> Path:
        """Where a `Retriever` expects the index."""
        return self.directory / "fm_index"

    def open_index(self) -> FMIndex:
        return FMIndex.open(self.index_directory)

    def spans(self, rng: np.random.Generator, n: int, length: int) -> Tokens:
        """[n, length] token spans of random places that cross no marker."""
        is_marker = self.vocabulary.is_marker
        found: list[Tokens] = []
        while sum(map(len, found)) < n:
            start = rng.integers(0, len(self.tokens) - length + 1, 8 * n)
            windows = self.tokens[start[:, None] + np.arange(length)]
            found.append(windows[~is_marker[windows].any(axis=1)])
        return np.concatenate(found)[:n]


def make_world(
    *, path: str | None, n_tokens: int | None, vocabulary_size: int | None, directory: Path
) -> World:
    """The demo corpus, or the BEIR folder at ``path``; resampled to ``n_tokens`` if given.

    ``vocabulary_size`` is by default 1,500 for the demo and 50,000 for real text.
    """
    corpus = generate_demo() if path is None else read_beir(path=path)
    return world_of(
        corpus,
        n_tokens=n_tokens,
        vocabulary_size=vocabulary_size or (1500 if path is None else 50_000),
        directory=directory,
    )


def world_of(
    corpus: Corpus, *, n_tokens: int | None, vocabulary_size: int, directory: Path
) -> World:
    """Tokenise ``corpus`` with its own byte-level BPE and store its passages."""
    strings = (f"{passage.title} {passage.text}" for passage in corpus.passages)
    vocabulary = Vocabulary(train_byte_level_bpe(texts=strings, size=vocabulary_size), SEAL)
    serialised = serialise(corpus.passages, vocabulary=vocabulary)
    tokens, offsets, name = serialised.tokens, serialised.offsets, corpus.name
    if n_tokens is not None:
        name = f"{name}, resampled"
        tokens, offsets = resample(
            tokens=tokens, offsets=offsets, is_marker=vocabulary.is_marker, n=n_tokens, seed=0
        )
    directory.mkdir(parents=True, exist_ok=True)
    PassageStore.write(corpus.passages, directory)
    questions = [query.text for query in (*corpus.train.queries, *corpus.test.queries)]
    return World(
        name=name,
        tokens=tokens,
        offsets=offsets,
        vocabulary=vocabulary,
        questions=questions,
        directory=directory,
    )
