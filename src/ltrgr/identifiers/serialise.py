"""Passages as one stream of token ids, with the position of every field in it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltrgr.corpus.records import Passage
from ltrgr.csr import csr_offsets, csr_owners
from ltrgr.identifiers.docids import docids_of
from ltrgr.identifiers.views import PASSAGE_END, Docids, View
from ltrgr.identifiers.vocabulary import Ids, Vocabulary

log = logging.getLogger("ltrgr")


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialisedCorpus:
    """N tokens of P passages with F fields; a field is the text of one identifier.

    A passage holds the fields of each view, in the order of the family, then the passage-end
    marker. Section 3 of docs/method.md has a drawing:

        <title> Elbe </title> a long river <query> where is it </query> </passage> <title> Ulm ...
                [  0 ]        [    1     ]         [     2    ]                            [3]
    """

    tokens: NDArray[np.int32]
    """[N] token ids"""
    offsets: NDArray[np.int64]
    """[P + 1] tokens of passage p are ``tokens[offsets[p]:offsets[p + 1]]``"""
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
    """Encode the fields of every passage into one stream; skip fields without a token.

    ``chunk`` passages are tokenised at a time, so that memory stays near the size of the result.
    A passage without any field keeps its number, but no search can find it; the log names it.

    Raises:
        ValueError: two docids have the same tokens, a docid has none, or a docid is too long to
            be generated.
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
                    if len(ids) == 0:  # BERT's tokenizer, for one, drops control characters
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
    serialised = SerialisedCorpus(
        tokens=np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.int32),
        offsets=csr_offsets(lengths),
        field_offsets=csr_offsets(fields),
        field_view=np.asarray(view_of, dtype=np.int16),
        field_start=np.asarray(starts, dtype=np.int64),
        field_end=np.asarray(ends, dtype=np.int64),
    )
    for number, given in enumerate(docids):
        if given is not None:
            _expect_distinct(serialised, number, passages)
    _tell_empty(serialised, passages)
    return serialised


def _expect_distinct(corpus: SerialisedCorpus, view: int, passages: Sequence[Passage]) -> None:
    """Raise ValueError unless each passage has one docid and all docids differ as tokens."""
    owner = csr_owners(corpus.field_offsets)
    own = np.flatnonzero(corpus.field_view == view)
    without = np.setdiff1d(np.arange(len(passages)), owner[own])
    if len(without):
        raise ValueError(
            f"the docid of passage {passages[without[0]].id!r} has no token that the tokenizer "
            f"knows ({len(without)} such passages); change the docid, or use another tokenizer"
        )
    start, end = corpus.field_start[own, None], corpus.field_end[own, None]
    place = start + np.arange(int((end - start).max(initial=0)))
    padded = np.where(place < end, corpus.tokens[np.minimum(place, end - 1)], -1)
    _, first, which = np.unique(padded, axis=0, return_index=True, return_inverse=True)
    again = np.flatnonzero(first[which.ravel()] != np.arange(len(own)))
    if len(again):
        one, other = (
            passages[owner[own[i]]].id for i in (first[which.ravel()[again[0]]], again[0])
        )
        raise ValueError(
            f"the docids of passages {one!r} and {other!r} are the same to this tokenizer, which "
            "lacks some of their characters; change the docids, or use another tokenizer"
        )


def _tell_empty(corpus: SerialisedCorpus, passages: Sequence[Passage]) -> None:
    empty = np.flatnonzero(np.diff(corpus.field_offsets) == 0)
    if len(empty):
        shown = ", ".join(repr(passages[i].id) for i in empty[:3])
        log.warning(
            "%d of %d passages hold no character that the tokenizer knows, and cannot be found: %s",
            len(empty),
            len(passages),
            shown + (", ..." if len(empty) > 3 else ""),
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
    if longest > view.max_new_tokens:
        raise ValueError(
            f"a docid has {longest} tokens with its end marker, but search decodes "
            f"{view.max_new_tokens}: it could never be generated; set "
            f"identifiers.views.NAME.max_new_tokens={longest} or more, and "
            "pretrain.targets.max_target_length to at least that"
        )
    return [[ids] for ids in encoded]


def _marker(vocabulary: Vocabulary, marker: str) -> Ids:
    return np.asarray([vocabulary.token_id(marker)], dtype=np.int32)
