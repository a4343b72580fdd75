"""Places in the corpus that hold a training question as a pseudo-query of its own passage.

When pseudo-queries are training questions, a question finds its passage by copying itself. No test
question can do that. Mining excludes these places (leave one out).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltrgr.compiled import njit
from ltrgr.identifiers.serialise import SerialisedCorpus
from ltrgr.identifiers.tokenised import TokenisedQuestions

Ranges = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def own_query_ranges(
    questions: TokenisedQuestions, corpus: SerialisedCorpus, *, marked: NDArray[np.bool_]
) -> Ranges:
    """Positions of each question's own text in its relevant passages, markers included.

    Args:
        questions: Q questions, tokenised whole.
        marked: [W] True for views with markers; only their fields are compared.

    Returns:
        CSR of half-open ranges: offsets [Q + 1], starts and ends in ``corpus.tokens``.
    """
    return _find(
        questions.offsets, questions.tokens, questions.relevant_offsets, questions.relevant,
        corpus.tokens, corpus.field_offsets, corpus.field_view, corpus.field_start,
        corpus.field_end, marked,
    )  # fmt: skip


@njit(cache=True)
def _find(
    offsets: Any,
    tokens: Any,
    relevant_offsets: Any,
    relevant: Any,
    text: Any,
    field_offsets: Any,
    field_view: Any,
    field_start: Any,
    field_end: Any,
    marked: Any,
) -> Any:
    # numba types a list by its first entry; the slices below drop it
    starts, ends = [np.int64(0)], [np.int64(0)]
    counts = np.zeros(len(offsets), np.int64)
    for question in range(len(offsets) - 1):
        asked = tokens[offsets[question] : offsets[question + 1]]
        for place in range(relevant_offsets[question], relevant_offsets[question + 1]):
            passage = relevant[place]
            for field in range(field_offsets[passage], field_offsets[passage + 1]):
                start, end = field_start[field], field_end[field]
                if not marked[field_view[field]] or end - start != len(asked):
                    continue
                if np.array_equal(text[start:end], asked):
                    starts.append(start - 1)
                    ends.append(end + 1)
                    counts[question + 1] += 1
    return np.cumsum(counts), np.array(starts)[1:], np.array(ends)[1:]
