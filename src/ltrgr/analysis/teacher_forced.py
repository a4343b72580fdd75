"""Teacher-forced choices: the constrained argmax after each gold prefix."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ltrgr.analysis.gold import Gold
from ltrgr.csr import csr_offsets
from ltrgr.decoding.beam_kernels import advance, make_scratch
from ltrgr.decoding.beam_search import SearchedView
from ltrgr.decoding.model import teacher_forced_logits
from ltrgr.index.protocol import Index


@torch.inference_mode()
def teacher_forced_choice(
    model: Any,
    *,
    states: Tensor,
    mask: Tensor,
    labels: NDArray[np.int64],
    view: SearchedView,
    index: Index,
    is_marker: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """The likeliest token that the index allows after each gold prefix.

    Args:
        states, mask: encoder states [B, L, d] and mask [B, L] of the view's prompts.
        labels: [B, T] gold identifiers, padded with -100.
        is_marker: [V] True for marker tokens.

    Returns:
        [B, T] tokens: entry (b, t) follows ``labels[b, :t]``; -100 at padding.
    """
    logits = teacher_forced_logits(model, states, mask, torch.from_numpy(labels).to(states.device))
    normaliser = logits.logsumexp(dim=2).cpu().numpy()
    scores = logits.cpu().numpy()
    n, steps = labels.shape
    begin = np.asarray([view.begin] if view.begin >= 0 else [], dtype=np.int32)
    first_lo, first_hi = index.interval(begin)
    lo, hi = np.tile(first_lo, (n, 1)), np.tile(first_hi, (n, 1))
    scratch = make_scratch(index.vocabulary_size)
    end = np.full(n, view.end, dtype=np.int64)
    chosen = np.full((n, steps), -100, dtype=np.int64)
    for step in range(steps):
        asked = labels[:, step] >= 0
        token, _, score, _, _ = advance(
            index.arrays,
            np.ascontiguousarray(scores[:, step]),
            np.ascontiguousarray(normaliser[:, step]),
            np.where(asked, 0.0, -np.inf).astype(np.float32)[:, None],
            lo[:, None].copy(),
            hi[:, None].copy(),
            step + len(begin),
            end,
            is_marker,
            1,
            scratch,
        )
        # One beam: slot 1 holds the end marker if it was the likeliest, slot 0 the best other.
        taken = np.where(np.isfinite(score[:, 1]), token[:, 1], token[:, 0])
        chosen[asked, step] = taken[asked]
        lo, hi = index.extend(lo, hi, labels[:, step], depth=step + len(begin))
    return chosen


def stays_gold(
    gold: Gold, *, labels: NDArray[np.int64], chosen: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """[B, T] whether ``labels[b, :t]`` followed by ``chosen[b, t]`` begins a gold identifier.

    A question may have several gold identifiers, so the token may differ from the label and still
    be right. False at padding.
    """
    n, steps = labels.shape
    within = np.arange(steps)
    keys = np.repeat(labels[:, None, :], steps, axis=1)
    keys[:, within, within] = chosen
    asked = labels >= 0
    shown = (within[None, :] <= within[:, None])[None] & asked[:, :, None]
    flags = np.zeros((n, steps), dtype=np.bool_)
    flags[asked] = gold.begins_with(
        keys[shown].astype(np.int32),
        csr_offsets(np.broadcast_to(within + 1, (n, steps))[asked]),
        np.repeat(np.arange(n), steps).reshape(n, steps)[asked],
    )
    return flags
