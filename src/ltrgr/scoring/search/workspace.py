"""Working memory for the full scores of one call."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ltrgr.csr import csr_offsets
from ltrgr.scoring.search.exact_score import Counted, Rules
from ltrgr.scoring.search.key_trie import KeyTrie, new_trie
from ltrgr.scoring.search.ranked_keys import RankedKeys


class Workspace(NamedTuple):
    """Buffers that all questions of a call share, so that no key and no hit allocates memory."""

    trie: KeyTrie
    counted: Counted
    present: NDArray[np.uint64]
    """as in ``Found``"""
    head: NDArray[np.int32]
    """as in ``Found``"""
    token_marks: NDArray[np.int64]
    """[V] as in ``Marks``"""


def new_workspace(
    ranked: RankedKeys, rules: Rules, *, n_passages: int, n_symbols: int
) -> Workspace:
    """Buffers for the worst case; a page takes no memory before it is written."""
    n_keys = np.diff(ranked.offsets)
    most_keys = int(n_keys.max(initial=0))
    ends = csr_offsets(ranked.length)[ranked.offsets]
    n_counted = min(rules.candidates, n_passages) * min(rules.keys_per_passage, most_keys)
    return Workspace(
        new_trie(
            n_symbols=n_symbols,
            most_nodes=int(np.diff(ends).max(initial=0)),
            most_keys=most_keys,
        ),
        Counted(
            np.empty(n_counted, np.int32),
            np.empty(n_counted, np.float32),
            np.empty(n_counted, np.int32),
        ),
        np.zeros((most_keys + 63) >> 6, np.uint64),
        np.full(most_keys, -1, np.int32),
        np.zeros(n_symbols, np.int64),
    )
