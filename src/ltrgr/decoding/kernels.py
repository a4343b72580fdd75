"""The index's part of one decoding step, compiled: allowed tokens, top candidates, intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from ltrgr.index.kernels import extend_one, fill_allowed


@njit(cache=True)
def _insert(
    scores: Any, beams: Any, tokens: Any, size: int, score: float, beam: int, token: int
) -> int:
    """Keep a descending list of at most ``len(scores)`` candidates; earlier ones win ties."""
    capacity = len(scores)
    if size == capacity and score <= scores[size - 1]:
        return size
    slot = size if size < capacity else capacity - 1
    while slot > 0 and scores[slot - 1] < score:
        scores[slot] = scores[slot - 1]
        beams[slot] = beams[slot - 1]
        tokens[slot] = tokens[slot - 1]
        slot -= 1
    scores[slot] = score
    beams[slot] = beam
    tokens[slot] = token
    return size + 1 if size < capacity else size


@njit(cache=True)
def advance(
    arrays: Any,
    logits: Any,
    normaliser: Any,
    score: Any,
    lo: Any,
    hi: Any,
    end: Any,
    is_marker: Any,
    beams: int,
) -> Any:
    """One step of R searches of ``width`` hypotheses each.

    Args:
        logits: [R * width, V]; normaliser: [R * width] their logsumexp.
        score: [R, width] log p so far, -inf for a dead hypothesis; lo, hi: [R, width] rows.
        end: [R] the end marker of the row's view, -1 if it has none.
        beams: hypotheses kept per search.

    Returns:
        (token, parent, score, lo, hi), each [R, 2 * beams]: first the hypotheses that live on,
        best first, then those that ended among the best ``beams``; score -inf where empty.
    """
    n_searches, width = score.shape
    vocabulary = len(is_marker)
    out_token = np.zeros((n_searches, 2 * beams), np.int32)
    out_parent = np.zeros((n_searches, 2 * beams), np.int32)
    out_score = np.full((n_searches, 2 * beams), -np.inf, np.float32)
    out_lo = np.zeros((n_searches, 2 * beams), np.int64)
    out_hi = np.zeros((n_searches, 2 * beams), np.int64)
    stamp = np.zeros(vocabulary + 2, np.int64)
    stamp_value = 0
    allowed = np.empty(vocabulary + 2, np.int32)
    best_score = np.empty(2 * beams, np.float32)
    best_beam = np.empty(2 * beams, np.int32)
    best_token = np.empty(2 * beams, np.int32)
    for search in range(n_searches):
        size = 0
        for beam in range(width):
            if score[search, beam] == -np.inf:
                continue
            row = search * width + beam
            base = score[search, beam] - normaliser[row]
            stamp_value += 1
            n_allowed = fill_allowed(
                arrays, lo[search, beam], hi[search, beam], stamp, stamp_value, allowed
            )
            for position in range(n_allowed):
                token = allowed[position]
                if is_marker[token] and token != end[search]:
                    continue
                size = _insert(
                    best_score, best_beam, best_token, size, base + logits[row, token], beam, token
                )
        alive = 0
        ended = beams
        for rank in range(size):
            beam = best_beam[rank]
            token = best_token[rank]
            if token == end[search]:
                if rank >= beams:
                    continue
                slot = ended
                ended += 1
            else:
                if alive == beams:
                    continue
                slot = alive
                alive += 1
            out_token[search, slot] = token
            out_parent[search, slot] = beam
            out_score[search, slot] = best_score[rank]
            lo2, hi2 = extend_one(arrays, lo[search, beam], hi[search, beam], token)
            out_lo[search, slot] = lo2
            out_hi[search, slot] = hi2
    return out_token, out_parent, out_score, out_lo, out_hi


@njit(cache=True)
def _walk(token: Any, parent: Any, step: int, search: int, slot: int, out: Any) -> None:
    """Write the tokens of the hypothesis in ``slot`` of ``step``, first to last, into ``out``."""
    for t in range(step, -1, -1):
        out[t] = token[t, search, slot]
        slot = parent[t, search, slot]


@njit(cache=True)
def collect(token: Any, parent: Any, score: Any, lo: Any, hi: Any, begin: int) -> Any:
    """Every hypothesis that was ever on a beam, as flat keys ordered by search.

    Args:
        token, parent, score, lo, hi: [T, R, W] the history of ``advance``.
        begin: the view's begin marker, put before each key; -1 for none.

    Returns:
        (offsets [R + 1], token offsets [n + 1], tokens, lo [n], hi [n], score [n]).
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
    out_lo = np.empty(n_keys, np.int64)
    out_hi = np.empty(n_keys, np.int64)
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
