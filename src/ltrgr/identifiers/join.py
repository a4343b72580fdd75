"""Joining, choosing and deduplicating the keys of several searches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ltrgr.csr import csr_offsets, csr_ranges, pad_rows
from ltrgr.identifiers.keys import Keys


def stack(batches: Sequence[Keys]) -> Keys:
    """Concatenate the keys of successive batches: B_1 + B_2 + ... questions."""
    return Keys(
        question_offsets=csr_offsets(
            np.concatenate([np.diff(keys.question_offsets) for keys in batches])
        ),
        token_offsets=csr_offsets(np.concatenate([keys.length for keys in batches])),
        view=np.concatenate([keys.view for keys in batches]),
        tokens=np.concatenate([keys.tokens for keys in batches]),
        lo=np.concatenate([keys.lo for keys in batches]),
        hi=np.concatenate([keys.hi for keys in batches]),
        log_probability=np.concatenate([keys.log_probability for keys in batches]),
    )


def merge(parts: Sequence[Keys]) -> Keys:
    """Join several searches of the *same* B questions.

    Within a question, the keys come in the order of ``parts``.
    """
    joined = stack(parts)
    question = np.concatenate([keys.question for keys in parts])
    order = np.argsort(question, kind="stable")
    return take(joined, order, question[order], questions=len(parts[0].question_offsets) - 1)


def take(
    keys: Keys, chosen: NDArray[np.int64], question: NDArray[np.int64], *, questions: int
) -> Keys:
    """Select keys and assign them to questions.

    Args:
        chosen: [m] indices into ``keys``, in the order of the result.
        question: [m] the new question of each chosen key, ascending.
        questions: number of questions B of the result.
    """
    lengths = keys.length[chosen]
    return Keys(
        question_offsets=csr_offsets(np.bincount(question, minlength=questions)),
        token_offsets=csr_offsets(lengths),
        view=keys.view[chosen],
        tokens=keys.tokens[csr_ranges(keys.token_offsets[chosen], lengths)],
        lo=keys.lo[chosen],
        hi=keys.hi[chosen],
        log_probability=keys.log_probability[chosen],
    )


def distinct(keys: Keys) -> Keys:
    """Keep the first key of each (question, view, tokens)."""
    padded = pad_rows(keys.tokens, keys.length, fill=-1)
    rows = np.column_stack([keys.question, keys.view, padded])
    _, first = np.unique(rows, axis=0, return_index=True)
    first = np.sort(first)
    return take(keys, first, keys.question[first], questions=len(keys.question_offsets) - 1)
