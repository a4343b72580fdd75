"""One decoder sequence for every key that is not the beginning of another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ltrgr.csr import csr_ranges, pad_rows

Ints = NDArray[np.int64]


def share_prefixes(
    *, tokens: NDArray[np.int32], start: Ints, stop: Ints, group: Ints
) -> tuple[Ints, Ints, Ints, Ints]:
    """Teacher forcing scores all prefixes of a sequence at once, so nested keys share one.

    A beam search's history is full of nested keys: its partial hypotheses.

    Args:
        tokens: flat ids; key i decodes ``tokens[start[i]:stop[i]]``.
        group: [n] keys share only within a group, one (question, view).

    Returns:
        labels [S, T] padded with -100, key -> sequence [n], key -> length [n], and the group of
        each sequence [S].

    >>> share_prefixes(
    ...     tokens=np.array([7, 8, 7], dtype=np.int32), start=np.array([0, 2]),
    ...     stop=np.array([2, 3]), group=np.array([0, 0]))[0].tolist()
    [[7, 8]]
    """
    length = stop - start
    padded = pad_rows(tokens[csr_ranges(start, length)], length, fill=-100)
    # Sorted, a key that begins any other begins the next one: -100 sorts before every token.
    order = np.lexsort((*padded.T[::-1], group))
    ordered, size, owner = padded[order], length[order], group[order]
    agree = (ordered[:-1] == ordered[1:]) | (np.arange(padded.shape[1]) >= size[:-1, None])
    begins_next = np.append(agree.all(axis=1) & (owner[:-1] == owner[1:]), False)
    number = np.cumsum(~begins_next) - ~begins_next
    sequence = np.empty(len(start), dtype=np.int64)
    sequence[order] = number
    return ordered[~begins_next], sequence, length.astype(np.int64), owner[~begins_next]
