"""The history of a beam search: every hypothesis that was ever on a beam (compiled)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ltrgr.compiled import njit


@njit(cache=True)
def _walk(token: Any, parent: Any, step: int, search: int, slot: int, out: Any) -> None:
    """Write the tokens of the hypothesis in ``slot`` of ``step``, first to last, into ``out``."""
    for t in range(step, -1, -1):
        out[t] = token[t, search, slot]
        slot = parent[t, search, slot]


@njit(cache=True)
def collect(token: Any, parent: Any, score: Any, lo: Any, hi: Any, begin: int) -> Any:
    """Every hypothesis that was ever on a beam, as flat keys ordered by search, then by step.

    Args:
        token, parent, score: [T, R, W] the results of T calls of ``advance``.
        lo, hi: [T, R, W, S]
        begin: the begin marker to put before each key; -1 for none.

    Returns:
        (offsets [R + 1], token offsets [n + 1], tokens, lo [n, S], hi [n, S], score [n]).
    """
    steps, searches, width = token.shape
    extra = 1 if begin >= 0 else 0
    offsets = np.zeros(searches + 1, np.int64)
    n_tokens = 0
    for search in range(searches):
        n = 0
        for step in range(steps):
            for slot in range(width):
                if score[step, search, slot] != -np.inf:
                    n += 1
                    n_tokens += step + 1 + extra
        offsets[search + 1] = offsets[search] + n
    n_keys = offsets[searches]
    token_offsets = np.zeros(n_keys + 1, np.int64)
    tokens = np.empty(n_tokens, np.int32)
    out_lo = np.empty((n_keys, lo.shape[3]), np.int64)
    out_hi = np.empty((n_keys, lo.shape[3]), np.int64)
    out_score = np.empty(n_keys, np.float32)
    key = 0
    for search in range(searches):
        for step in range(steps):
            for slot in range(width):
                if score[step, search, slot] == -np.inf:
                    continue
                first = token_offsets[key]
                if extra:
                    tokens[first] = begin
                last = first + extra + step + 1
                _walk(token, parent, step, search, slot, tokens[first + extra : last])
                token_offsets[key + 1] = last
                out_lo[key] = lo[step, search, slot]
                out_hi[key] = hi[step, search, slot]
                out_score[key] = score[step, search, slot]
                key += 1
    return offsets, token_offsets, tokens, out_lo, out_hi, out_score
