"""Stage "index": tokenizer, serialised passages and the FM-index over them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np
from transformers import AutoTokenizer

from ltrgr.corpus.records import Corpus
from ltrgr.corpus.store import PassageStore
from ltrgr.identifiers.serialise import SerialisedCorpus, serialise
from ltrgr.identifiers.views import Family
from ltrgr.identifiers.vocabulary import Vocabulary
from ltrgr.index import storage as index_storage
from ltrgr.index.shards import Shards
from ltrgr.pipeline.artefact import Artefact
from ltrgr.pipeline.describe import describe
from ltrgr.pipeline.progress import bar
from ltrgr.pipeline.settings import Backbone, ComputeSettings, IndexSettings

LEARNED, TOKENISED = 40, 90
"""Percent of the bar when the tokenizer is learned and the passages are tokenised. These two take
well over nine tenths of the time on squad-open (3.2 M tokens; the FM-index 0.4 s of about 15), less
where the tokenizer is given; how they share it is a guess."""


def index_artefact(*, root: Path, corpus: Corpus, family: Family, backbone: Backbone) -> Artefact:
    """What identifies an index: the corpus, the views and the tokenizer."""
    return Artefact(
        root=root,
        stage="index",
        version=index_storage.VERSION,
        inputs={
            "corpus": corpus.checksum,
            "views": family.describe(),
            "tokenizer": describe(backbone.tokenizer),
        },
    )


def build_index(
    directory: Path,
    *,
    corpus: Corpus,
    family: Family,
    backbone: Backbone,
    settings: IndexSettings,
    compute: ComputeSettings,
) -> None:
    """Write the artefact's files.

    Raises:
        BuildTooLargeError: memory or disk will not suffice.
    """

    def show(step: str, share: float) -> None:
        progress.set_postfix_str(step, refresh=False)
        progress.update(TOKENISED + int((100 - TOKENISED) * share) - progress.n)

    with bar(
        total=100, description=f"index {corpus.name}", unit="%", shown=compute.progress
    ) as progress:
        progress.set_postfix_str("tokenizer")
        vocabulary = Vocabulary(backbone.make_tokenizer(_texts(corpus)), family)
        progress.update(LEARNED)
        progress.set_postfix_str("tokens")
        serialised = serialise(corpus.passages, vocabulary=vocabulary)
        progress.update(TOKENISED - LEARNED)
        for field in fields(SerialisedCorpus):
            if field.name not in ("tokens", "offsets"):  # the FM-index keeps these
                np.save(directory / f"{field.name}.npy", getattr(serialised, field.name))
        PassageStore.write(corpus.passages, directory)
        vocabulary.tokenizer.save_pretrained(directory / "tokenizer")
        Shards.build(
            tokens=serialised.tokens,
            offsets=serialised.offsets,
            vocabulary_size=len(vocabulary),
            directory=directory / "fm_index",
            shard_tokens=settings.shard_tokens,
            progress=show,
            force=settings.force,
        )


def open_vocabulary(index_directory: Path, family: Family) -> Vocabulary:
    """The vocabulary that an index was built with."""
    tokenizer = AutoTokenizer.from_pretrained(
        index_directory / "tokenizer", trust_remote_code=False
    )
    return Vocabulary(tokenizer, family)


def open_serialised(index_directory: Path) -> SerialisedCorpus:
    """The token stream and its fields, in memory."""
    index = Shards.open(index_directory / "fm_index")
    kept = {
        field.name: np.load(index_directory / f"{field.name}.npy")
        for field in fields(SerialisedCorpus)
        if field.name not in ("tokens", "offsets")
    }
    return SerialisedCorpus(
        tokens=index.tokens(),
        offsets=index.passage_offsets,
        **kept,
    )


def _texts(corpus: Corpus) -> Iterator[str]:
    """What a tokenizer may learn from: passages and training questions, nothing of dev or test."""
    for passage in corpus.passages:
        yield f"{passage.title} {passage.text}"
        yield from passage.pseudo_queries
    for query in corpus.train.queries:
        yield query.text
