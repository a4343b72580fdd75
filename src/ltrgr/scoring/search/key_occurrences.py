"""Finding the occurrences of a question's keys in one passage (compiled).

The kind of index decides how. A text is read once and matched against a trie of the keys. Where
each passage has one row in the index, that row is compared with the rows of each key.
"""

# To numba, np.int64 and int are one type.
# mypy: disable-error-code="assignment,arg-type"
from __future__ import annotations

from typing import Any

import numpy as np
from numba.extending import overload

from ltrgr.compiled import njit
from ltrgr.index.any_index import kernels_of, row_of_passage
from ltrgr.index.kernels import STEP
from ltrgr.scoring.search.candidate_generation import Excluded, is_excluded
from ltrgr.scoring.search.exact_score import Found, scan
from ltrgr.scoring.search.key_trie import KeyTrie
from ltrgr.scoring.search.ranked_keys import RankedKeys


def find_keys(
    arrays: Any,
    trie: KeyTrie,
    ranked: RankedKeys,
    excluded: Excluded,
    question: int,
    passage: int,
    begin: int,
    end: int,
    found: Found,
) -> None:
    """Link all occurrences of the question's keys in the passage in ``found``.

    Args:
        trie: the keys of the question, as ``fill_trie`` inserted them.
        passage: number within the shard.
        begin, end: positions that hold the passage's keys, from ``span_of_passage``.
    """
    raise NotImplementedError("only compiled code finds keys; call it from an njit function")


@njit(**STEP)
def by_text(
    arrays: Any,
    trie: KeyTrie,
    ranked: RankedKeys,
    excluded: Excluded,
    question: int,
    passage: int,
    begin: int,
    end: int,
    found: Found,
) -> None:
    """`find_keys` in a text: see `scan`."""
    scan(trie, arrays, ranked, excluded, question, begin, end, found)


@njit(**STEP)
def by_row(
    arrays: Any,
    trie: KeyTrie,
    ranked: RankedKeys,
    excluded: Excluded,
    question: int,
    passage: int,
    begin: int,
    end: int,
    found: Found,
) -> None:
    """`find_keys` where a passage has one row: a key occurs if its interval holds that row.

    A key longer than the span is of another index; it would leave the buffers of that length.
    """
    row = row_of_passage(arrays, passage)
    first = ranked.offsets[question]
    any_excluded = excluded.offsets[question + 1] > excluded.offsets[question]
    n = 0
    for key in range(first, ranked.offsets[question + 1]):
        if not ranked.lo[key] <= row < ranked.hi[key] or ranked.length[key] > end - begin:
            continue
        if any_excluded and is_excluded(excluded, question, begin, begin + ranked.length[key]):
            continue
        local = key - first
        found.present[local >> 6] |= np.uint64(1) << np.uint64(local & 63)
        found.place[n], found.following[n], found.head[local] = 0, -1, n
        n += 1


@overload(find_keys, jit_options={"_nrt": STEP["_nrt"]}, strict=False)
def _find_keys(arrays: Any, *rest: Any) -> Any:
    return by_text.py_func if kernels_of(arrays).row_of_passage is None else by_row.py_func
