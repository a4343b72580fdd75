"""Stage "index": tokenizer, serialised passages and the index over them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from ltrgr.corpus.records import Corpus
from ltrgr.corpus.store import PassageStore
from ltrgr.identifiers.functions import name_of
from ltrgr.identifiers.serialise import SerialisedCorpus, serialise
from ltrgr.identifiers.views import Family
from ltrgr.identifiers.vocabulary import Vocabulary
from ltrgr.index import storage as index_storage
from ltrgr.index.construction import Progress
from ltrgr.index.kinds import FOLDERS
from ltrgr.index.shards import Shards
from ltrgr.index.token_stream import read_stream, write_stream
from ltrgr.index.trie import IdentifierTrie
from ltrgr.models.pretrained import saved_tokenizer
from ltrgr.pipeline.artefact import Artefact
from ltrgr.pipeline.describe import describe
from ltrgr.pipeline.progress import bar
from ltrgr.pipeline.settings import Backbone, ComputeSettings, IndexSettings
from ltrgr.typed import SettingsError

STREAM = "stream"
"""the folder of the token stream beside an index that does not hold it"""

LEARNED, TOKENISED = 40, 90
"""Percent of the bar when the tokenizer is learned and the passages are tokenised. These two take
well over nine tenths of the time on squad-open (3.2 M tokens; the FM-index 0.4 s of about 15), less
where the tokenizer is given; how they share it is a guess."""


def index_artefact(
    *, root: Path, corpus: Corpus, family: Family, backbone: Backbone, kind: str = "fm"
) -> Artefact:
    """What identifies an index: the corpus, the views, the tokenizer and the kind.

    Raises:
        SettingsError: an index of this kind cannot hold the identifiers of this family.
    """
    if kind == "trie":
        docid_view(family)
    # `views` is what a saved retriever can be opened by, so it holds names only
    digests = {name_of(one): _digests(describe(one)) for one in family.functions}
    sources = {name: found for name, found in digests.items() if found}
    return Artefact(
        root=root,
        stage="index",
        version=index_storage.VERSION,
        inputs={
            "corpus": corpus.checksum,
            "views": family.describe(),
            "tokenizer": describe(backbone.tokenizer),
            **({} if kind == "fm" else {"kind": kind}),
            **({"sources": sources} if sources else {}),
        },
    )


def _digests(described: Mapping[str, Any]) -> dict[str, Any]:
    """What ``describe`` says of a user's function beyond its name and arguments."""
    return {
        name: value
        for name, value in described.items()
        if name == "source_digest" or name.endswith("_files")
    }


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
        SettingsError: an index of this kind cannot hold the identifiers of this family.
    """
    build = {"fm": _build_fm_index, "trie": _build_trie}[settings.kind]
    if settings.kind == "trie":
        docid_view(family)  # refuses a family before any work

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
            if field.name not in ("tokens", "offsets"):  # `build` keeps these
                np.save(directory / f"{field.name}.npy", getattr(serialised, field.name))
        PassageStore.write(corpus.passages, directory)
        vocabulary.tokenizer.save_pretrained(directory / "tokenizer")
        build(directory, serialised, vocabulary, settings, show)


def docid_view(family: Family) -> int:
    """The number of the only searched view, which has docids: what a trie can hold.

    Raises:
        SettingsError: several views are searched, or this one has no docids.
    """
    searched = {name: view for name, view in family.views.items() if view.searched}
    if len(searched) > 1 or any(view.docids is None for view in searched.values()):
        raise SettingsError(
            f"index.kind=trie with the searched views {list(searched)}: expected a single one, of "
            "docids; set index.kind=fm, or identifiers=docid_random, docid_kmeans or docid_title"
        )
    return family.names.index(next(iter(searched)))


def _build_fm_index(
    directory: Path,
    serialised: SerialisedCorpus,
    vocabulary: Vocabulary,
    settings: IndexSettings,
    progress: Progress,
) -> None:
    Shards.build(
        tokens=serialised.tokens,
        offsets=serialised.offsets,
        vocabulary_size=len(vocabulary),
        directory=directory / FOLDERS["fm"],
        shard_tokens=settings.shard_tokens,
        progress=progress,
        force=settings.force,
    )


def _build_trie(
    directory: Path,
    serialised: SerialisedCorpus,
    vocabulary: Vocabulary,
    settings: IndexSettings,
    progress: Progress,
) -> None:
    """The trie of the docids, and the token stream, which stage 1 reads."""
    own = serialised.field_view == docid_view(vocabulary.family)
    IdentifierTrie.build(
        tokens=serialised.tokens,
        begins=serialised.field_start[own] - 1,
        ends=serialised.field_end[own] + 1,
        vocabulary_size=len(vocabulary),
        directory=directory / FOLDERS["trie"],
        progress=progress,
    )
    write_stream(
        directory / STREAM,
        tokens=serialised.tokens,
        offsets=serialised.offsets,
        vocabulary_size=len(vocabulary),
    )


def open_vocabulary(index_directory: Path, family: Family) -> Vocabulary:
    """The vocabulary that an index was built with."""
    return Vocabulary(saved_tokenizer(index_directory / "tokenizer"), family)


def open_serialised(index_directory: Path) -> SerialisedCorpus:
    """The token stream and its fields, in memory.

    Raises:
        IndexFormatError: the index or the stream is missing or damaged.
    """
    kept = {
        field.name: np.load(index_directory / f"{field.name}.npy")
        for field in fields(SerialisedCorpus)
        if field.name not in ("tokens", "offsets")
    }
    if (index_directory / STREAM).is_dir():
        tokens, offsets = read_stream(index_directory / STREAM)
        return SerialisedCorpus(tokens=tokens, offsets=offsets, **kept)
    index = Shards.open(index_directory / FOLDERS["fm"])
    return SerialisedCorpus(tokens=index.tokens(), offsets=index.passage_offsets, **kept)


def _texts(corpus: Corpus) -> Iterator[str]:
    """What a tokenizer may learn from: passages and training questions, nothing of dev or test."""
    for passage in corpus.passages:
        yield f"{passage.title} {passage.text}"
        yield from passage.pseudo_queries
    for query in corpus.train.queries:
        yield query.text
