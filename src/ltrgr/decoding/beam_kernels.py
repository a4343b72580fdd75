"""The index part of one decoding step: allowed tokens, best candidates, intervals (compiled)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ltrgr.compiled import njit
from ltrgr.index.any_index import allowed, extend
from ltrgr.index.kernels import STEP


class Best(NamedTuple):
    """The best candidates of R searches so far: score descending, then beam, then token.

    The order is total, so the result depends neither on the order of insertion nor on the cut of
    the corpus into shards.
    """

    score: NDArray[np.float32]
    """[R, 2 * num_beams] log p."""
    beam: NDArray[np.int32]
    token: NDArray[np.int32]
    size: NDArray[np.int64]
    """[R] candidates held."""


class Scratch(NamedTuple):
    """Buffers that all steps of a search share. Stamps replace clearing V entries at each step."""

    stamp: NDArray[np.int64]
    """[V + 1] the stamp of the call that last saw each symbol."""
    value: NDArray[np.int64]
    """[1] the stamp that was used last."""
    tokens: NDArray[np.int32]
    """[V] the tokens that follow one hypothesis."""


def make_scratch(vocabulary_size: int) -> Scratch:
    """The buffers of one search; threads must not share them."""
    return Scratch(
        np.zeros(vocabulary_size + 1, np.int64),
        np.zeros(1, np.int64),
        np.empty(vocabulary_size, np.int32),
    )


def advance(
    shards: Sequence[Any],
    logits: NDArray[np.float32],
    normaliser: NDArray[np.float32],
    score: NDArray[np.float32],
    lo: NDArray[np.int64],
    hi: NDArray[np.int64],
    depth: int,
    end: NDArray[np.int64],
    is_marker: NDArray[np.bool_],
    num_beams: int,
    scratch: Scratch,
) -> Any:
    """One step of R searches of ``width`` hypotheses each, over an index of S shards.

    Args:
        shards: the arrays of each shard; their type selects the kernels (``index.any_index``).
        logits: [R * width, V]
        normaliser: [R * width] logsumexp of the logits.
        score: [R, width] log p so far, -inf for a dead hypothesis.
        lo, hi: [R, width, S] rows of each hypothesis in each shard.
        depth: tokens of each hypothesis so far, the begin marker of its view included.
        end: [R] the end marker of the search's view, -1 if it has none.
        is_marker: [V] True for marker tokens; only ``end`` may follow a hypothesis.
        num_beams: hypotheses kept per search; ties go to the lower (beam, token).

    Returns:
        (token, parent, score, lo, hi), each [R, 2 * num_beams]; lo and hi have a last axis S. The
        first ``num_beams`` places hold the hypotheses that go on, best first. The others hold those
        that took the end marker among the best ``num_beams`` candidates. The score of an empty
        place is -inf.
    """
    shape = (len(score), 2 * num_beams)
    best = Best(
        np.empty(shape, np.float32),
        np.empty(shape, np.int32),
        np.empty(shape, np.int32),
        np.zeros(len(score), np.int64),
    )
    found = (
        np.zeros(shape, np.int32),
        np.zeros(shape, np.int32),
        np.full(shape, -np.inf, np.float32),
        np.zeros((*shape, len(shards)), np.int64),
        np.zeros((*shape, len(shards)), np.int64),
    )
    asked = (logits, normaliser, score, lo, hi, depth, end, is_marker, scratch)
    if len(shards) == 1:  # one call: passing an index takes as long as a short step
        _step(shards[0], *asked, best, *found)
        return found
    for shard, arrays in enumerate(shards):
        _offer(arrays, shard, *asked, best)
    _choose(best, end, *found[:3])
    for shard, arrays in enumerate(shards):
        _extend(arrays, shard, lo, hi, depth, *found)
    return found


@njit(cache=True)
def _step(
    arrays: Any,
    logits: Any,
    normaliser: Any,
    score: Any,
    lo: Any,
    hi: Any,
    depth: int,
    end: Any,
    is_marker: Any,
    scratch: Any,
    best: Any,
    out_token: Any,
    out_parent: Any,
    out_score: Any,
    out_lo: Any,
    out_hi: Any,
) -> None:
    _offer(arrays, 0, logits, normaliser, score, lo, hi, depth, end, is_marker, scratch, best)
    _choose(best, end, out_token, out_parent, out_score)
    _extend(arrays, 0, lo, hi, depth, out_token, out_parent, out_score, out_lo, out_hi)


@njit(cache=True)
def _offer(
    arrays: Any,
    shard: int,
    logits: Any,
    normaliser: Any,
    score: Any,
    lo: Any,
    hi: Any,
    depth: int,
    end: Any,
    is_marker: Any,
    scratch: Any,
    best: Any,
) -> None:
    """Offer every token that follows a hypothesis in this shard to ``best`` of its search."""
    stamp, value, following = scratch
    searches, width = score.shape
    capacity = best.score.shape[1]
    for search in range(searches):
        size = best.size[search]
        scores, num_beams, tokens = best.score[search], best.beam[search], best.token[search]
        worst = scores[capacity - 1] if size == capacity else np.float32(-np.inf)
        for beam in range(width):
            first, last = lo[search, beam, shard], hi[search, beam, shard]
            if score[search, beam] == -np.inf or last <= first:
                continue
            row = search * width + beam
            base = score[search, beam] - normaliser[row]
            value[0] += 1
            n_following = allowed(arrays, first, last, depth, stamp, value[0], following)
            for position in range(n_following):
                token = following[position]
                reached = base + logits[row, token]
                if reached < worst:
                    continue  # true of nearly all tokens, hence the first test
                if is_marker[token] and token != end[search]:
                    continue
                size = _insert(scores, num_beams, tokens, size, reached, beam, token)
                if size == capacity:
                    worst = scores[capacity - 1]
        best.size[search] = size


@njit(**STEP)
def _insert(
    scores: Any, num_beams: Any, tokens: Any, size: int, score: float, beam: int, token: int
) -> int:
    """Insert a candidate in the order of `Best` unless it is there; return the new size.

    Several shards may offer the same candidate. Its score is then the same, so a copy that is
    already in the list is found at the very place of insertion; one that was pushed out of the
    list is rejected again.
    """
    capacity = len(scores)
    place = size
    while place > 0 and (
        scores[place - 1] < score
        or (
            scores[place - 1] == score
            and (
                num_beams[place - 1] > beam
                or (num_beams[place - 1] == beam and tokens[place - 1] > token)
            )
        )
    ):
        place -= 1
    if place == capacity:
        return size
    if place > 0 and num_beams[place - 1] == beam and tokens[place - 1] == token:
        return size
    for slot in range(min(size, capacity - 1), place, -1):
        scores[slot] = scores[slot - 1]
        num_beams[slot] = num_beams[slot - 1]
        tokens[slot] = tokens[slot - 1]
    scores[place] = score
    num_beams[place] = beam
    tokens[place] = token
    return min(size + 1, capacity)


@njit(cache=True)
def _choose(best: Any, end: Any, out_token: Any, out_parent: Any, out_score: Any) -> None:
    """Split the best candidates of each search into those that go on and those that ended."""
    num_beams = out_token.shape[1] // 2
    for search in range(len(out_token)):
        alive, ended = 0, num_beams
        for rank in range(best.size[search]):
            token = best.token[search, rank]
            if token == end[search]:
                if rank >= num_beams:
                    continue
                slot = ended
                ended += 1
            else:
                if alive == num_beams:
                    continue
                slot = alive
                alive += 1
            out_token[search, slot] = token
            out_parent[search, slot] = best.beam[search, rank]
            out_score[search, slot] = best.score[search, rank]


@njit(cache=True)
def _extend(
    arrays: Any,
    shard: int,
    lo: Any,
    hi: Any,
    depth: int,
    token: Any,
    parent: Any,
    score: Any,
    out_lo: Any,
    out_hi: Any,
) -> None:
    """Write the rows of each chosen hypothesis in this shard; an empty range if it has none."""
    for search in range(len(token)):
        for slot in range(token.shape[1]):
            if score[search, slot] == -np.inf:
                continue
            beam = parent[search, slot]
            first, last = extend(
                arrays, lo[search, beam, shard], hi[search, beam, shard], token[search, slot], depth
            )
            out_lo[search, slot, shard] = first
            out_hi[search, slot, shard] = last
