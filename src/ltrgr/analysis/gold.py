"""Gold identifiers, those of a question's relevant passages, as places in the token stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltrgr.compiled import njit
from ltrgr.csr import csr_offsets, csr_owners, csr_ranges
from ltrgr.decoding.beam_search import SearchedView
from ltrgr.identifiers.serialise import SerialisedCorpus

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gold:
    """The R gold places of B questions, in CSR form.

    In a view with markers, a place is a field of a relevant passage with its end marker, if it is
    short enough for search to decode it whole. In a free view, each position of a field is a place
    that runs to the end of the field; a gold identifier is any span that begins there. Begin
    markers are left out, because they are given, not generated.
    """

    text: NDArray[np.int32]
    """[N] the token stream"""
    offsets: Ints
    """[B + 1] places of question b are ``offsets[b]:offsets[b + 1]``"""
    start: Ints
    """[R] first token"""
    stop: Ints
    """[R] one past the last token"""

    @property
    def question(self) -> Ints:
        """[R] the question of each place."""
        return csr_owners(self.offsets)

    def begins_with(self, tokens: NDArray[np.int32], offsets: Ints, question: Ints) -> Any:
        """[n] whether a gold identifier of ``question[i]`` begins with key i.

        Args:
            tokens, offsets: key i is ``tokens[offsets[i]:offsets[i + 1]]``, without begin marker.
            question: [n] question of each key.
        """
        return _begins_with(
            self.text, self.offsets, self.start, self.stop, tokens, offsets, question
        )


def gold_places(
    corpus: SerialisedCorpus, *, view: SearchedView, relevant_offsets: Ints, relevant: Ints
) -> Gold:
    """The gold places of B questions in one view.

    Args:
        relevant_offsets, relevant: CSR [B + 1] of the relevant passages of each question.
    """
    counts = np.diff(corpus.field_offsets)[relevant]
    field = csr_ranges(corpus.field_offsets[relevant], counts)
    pair = np.repeat(np.arange(len(relevant)), counts)
    mine = corpus.field_view[field] == view.number
    field, pair = field[mine], pair[mine]
    question = csr_owners(relevant_offsets)[pair]
    start, stop = corpus.field_start[field], corpus.field_end[field]
    if view.begin >= 0:
        stop = stop + 1
        whole = stop - start <= view.max_new_tokens
        question, start, stop = question[whole], start[whole], stop[whole]
    else:
        lengths = stop - start
        question, stop = np.repeat(question, lengths), np.repeat(stop, lengths)
        start = csr_ranges(start, lengths)
    n = len(relevant_offsets) - 1
    return Gold(
        text=corpus.tokens,
        offsets=csr_offsets(np.bincount(question, minlength=n)),
        start=start,
        stop=stop,
    )


@njit(cache=True)
def _begins_with(
    text: Any, places: Any, start: Any, stop: Any, tokens: Any, offsets: Any, question: Any
) -> Any:
    n = len(question)
    found = np.zeros(n, np.bool_)
    for key in range(n):
        first, length = offsets[key], offsets[key + 1] - offsets[key]
        for place in range(places[question[key]], places[question[key] + 1]):
            if length > stop[place] - start[place]:
                continue
            same = 0
            while same < length and text[start[place] + same] == tokens[first + same]:
                same += 1
            if same == length:
                found[key] = True
                break
    return found
