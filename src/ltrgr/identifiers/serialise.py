"""Passages as one stream of token ids, with the place of every identifier in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltrgr.corpus.records import Passage
from ltrgr.identifiers.docids import docids_of
from ltrgr.identifiers.tokenised import csr_offsets
from ltrgr.identifiers.views import PASSAGE_END, Docids, View
from ltrgr.identifiers.vocabulary import Ids, Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialisedCorpus:
    """N tokens of P passages with F fields; a field is one identifier's text in the stream.

    Order inside a passage: the family's views as configured, each field between its markers,
    then the passage-end marker.
    """

    tokens: NDArray[np.int32]
    """[N] token ids"""
    offsets: NDArray[np.int64]
    """[P + 1] passage starts in ``tokens``"""
    field_offsets: NDArray[np.int64]
    """[P + 1] fields of passage p are ``field_offsets[p]:field_offsets[p + 1]``"""
    field_view: NDArray[np.int16]
    """[F] position of the field's view in the family"""
    field_start: NDArray[np.int64]
    """[F] first token after the begin marker"""
    field_end: NDArray[np.int64]
    """[F] one past the last token before the end marker"""


def serialise(
    passages: Sequence[Passage], *, vocabulary: Vocabulary, chunk: int = 2048
) -> SerialisedCorpus:
    """Encode every passage's fields into one stream; a field without a token is left out.

    Memory stays near the size of the result: ``chunk`` passages are tokenised at a time.
    """
    pieces: list[Ids] = []
    lengths: list[int] = []
    view_of: list[int] = []
    starts: list[int] = []
    ends: list[int] = []
    fields: list[int] = []
    position = 0
    closing = _marker(vocabulary, PASSAGE_END)
    views = list(vocabulary.family.views.values())
    docids = [None if view.docids is None else docids_of(view, passages) for view in views]
    for first in range(0, len(passages), chunk):
        part = slice(first, first + chunk)
        columns = [
            _by_source(view, passages[part], vocabulary)
            if given is None
            else _by_docid(view, given[part], vocabulary)
            for view, given in zip(views, docids, strict=True)
        ]
        for passage in zip(*columns, strict=True):
            begin, before = position, len(starts)
            for number, view in enumerate(views):
                for ids in passage[number]:
                    if len(ids) == 0:  # a tokenizer may drop all of it, as BERT's does controls
                        continue
                    if view.begin is not None:
                        pieces.append(_marker(vocabulary, view.begin))
                        position += 1
                    view_of.append(number)
                    starts.append(position)
                    pieces.append(ids)
                    position += len(ids)
                    ends.append(position)
                    if view.end is not None:
                        pieces.append(_marker(vocabulary, view.end))
                        position += 1
            pieces.append(closing)
            position += 1
            lengths.append(position - begin)
            fields.append(len(starts) - before)
    return SerialisedCorpus(
        tokens=np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.int32),
        offsets=csr_offsets(lengths),
        field_offsets=csr_offsets(fields),
        field_view=np.asarray(view_of, dtype=np.int16),
        field_start=np.asarray(starts, dtype=np.int64),
        field_end=np.asarray(ends, dtype=np.int64),
    )


def _by_source(view: View, group: Sequence[Passage], vocabulary: Vocabulary) -> list[list[Ids]]:
    """The encoded strings of each passage."""
    assert view.source is not None
    strings = [list(view.source(passage)) for passage in group]
    encoded = iter(vocabulary.encode([s for own in strings for s in own]))
    return [[next(encoded) for _ in own] for own in strings]


def _by_docid(view: View, docids: Docids, vocabulary: Vocabulary) -> list[list[Ids]]:
    """The one encoded identifier of each passage."""
    if isinstance(docids, np.ndarray):
        encoded = [vocabulary.symbols[code[code >= 0]] for code in docids]
    else:
        encoded = vocabulary.encode(docids)
    longest = max(len(ids) for ids in encoded) + 1
    if longest > view.steps:
        raise ValueError(
            f"a docid has {longest} tokens with its end marker, and search decodes {view.steps}: "
            f"it could never be generated; set steps={longest} or more for its view "
            f"(identifiers.views.NAME.steps), and pretrain.targets.longest_target no shorter"
        )
    return [[ids] for ids in encoded]


def _marker(vocabulary: Vocabulary, marker: str) -> Ids:
    return np.asarray([vocabulary.token_id(marker)], dtype=np.int32)
