"""Beam search constrained by the index, batched over questions, that keeps its whole history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ltrgr.decoding.beam_kernels import advance, make_scratch
from ltrgr.decoding.history import collect
from ltrgr.decoding.model import decode, decoder_start_id, empty_cache, encode
from ltrgr.identifiers.keys import Keys
from ltrgr.index.protocol import Index


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchedView:
    """The settings of a view that the search needs, in token ids."""

    number: int
    """position of the view in its family"""
    begin: int = -1
    """begin marker; -1 for a free view, whose keys start anywhere"""
    end: int = -1
    """end marker; -1 for a free view"""
    max_new_tokens: int = 10
    """longest key: decoded tokens, end marker included"""


@dataclass(frozen=True, slots=True)
class Found:
    """The keys of R questions, and log p [R, V] of every token at the first step."""

    keys: Keys
    first_step: Tensor


@torch.inference_mode()
def constrained_beam_search(
    model: Any,
    *,
    prompt_ids: Tensor,
    prompt_mask: Tensor,
    view: SearchedView,
    index: Index,
    is_marker: NDArray[np.bool_],
    num_beams: int,
) -> Found:
    """Generate keys of one view for R prompts and keep all partial hypotheses.

        log p(n | q) = sum over t of log p(n_t | n_<t, prompt)

    A step extends each hypothesis by the tokens that follow it in the corpus and keeps the
    ``num_beams`` best by log p. A hypothesis that takes the end marker is a finished key and leaves
    the beam. Where no constraint binds, the result equals ``model.generate(num_beams=...)``.
    See docs/method.md, section 5.

    Args:
        model: an encoder-decoder in evaluation mode.
        prompt_ids, prompt_mask: [R, L] prompts of this view and their mask.
        is_marker: [V] True for marker tokens; only the view's end marker may follow a hypothesis.
        num_beams: hypotheses kept per prompt.

    Returns:
        Every hypothesis that was ever on a beam, and log p [R, V] of the first step.

    Raises:
        ValueError: the model's config names no decoder start token.
    """
    n = len(prompt_ids)
    begin = np.asarray([view.begin] if view.begin >= 0 else [], dtype=np.int32)
    lo, hi = index.interval(begin)  # [S], S shards
    end = np.full(n, view.end, dtype=np.int64)  # [R]
    score = np.zeros((n, 1), dtype=np.float32)  # [R, b], b = 1 and then num_beams
    rows_lo, rows_hi = np.tile(lo, (n, 1, 1)), np.tile(hi, (n, 1, 1))  # [R, b, S]
    shards, scratch = index.arrays, make_scratch(index.vocabulary_size)
    states = encode(model, prompt_ids, prompt_mask)  # [R, L, H], from step 1 on [R b, L, H]
    cache = empty_cache()
    last = torch.full((n, 1), decoder_start_id(model), device=prompt_ids.device)  # [R b, 1]
    history = []
    first_step = torch.empty(0)
    for step in range(view.max_new_tokens):
        logits, cache = decode(model, states, prompt_mask, last, cache)
        logits = logits[:, -1].float()  # [R b, V]
        normaliser = logits.logsumexp(dim=1)  # [R b]
        if step == 0:
            first_step = logits - normaliser.unsqueeze(1)
        found = advance(
            shards,
            logits.cpu().numpy(),
            normaliser.cpu().numpy(),
            score,
            rows_lo,
            rows_hi,
            step + int(view.begin >= 0),
            end,
            is_marker,
            num_beams,
            scratch,
        )
        history.append(found)  # fields [R, 2 num_beams]: those that go on, then the finished
        token, parent, score, rows_lo, rows_hi = (field[:, :num_beams] for field in found)
        if step + 1 == view.max_new_tokens or not np.isfinite(score).any():
            break
        width = 1 if step == 0 else num_beams
        source = (np.arange(n)[:, None] * width + parent).reshape(-1)  # [R b] rows of the cache
        order = torch.from_numpy(source).to(prompt_ids.device)
        if step == 0:
            cache.reorder_cache(order)
            states, prompt_mask = states[order], prompt_mask[order]
        else:
            # All beams of a question have the same cross-attention cache.
            cache.self_attention_cache.reorder_cache(order)
        last = torch.from_numpy(token.reshape(-1, 1).astype(np.int64)).to(prompt_ids.device)
        score, rows_lo, rows_hi = (np.ascontiguousarray(a) for a in (score, rows_lo, rows_hi))
    return Found(_as_keys(history, view), first_step)


def _as_keys(history: list[Any], view: SearchedView) -> Keys:
    token, parent, score, lo, hi = (np.stack(field) for field in zip(*history, strict=True))
    offsets, token_offsets, tokens, key_lo, key_hi, log_probability = collect(
        token, parent, score, lo, hi, view.begin
    )
    return Keys(
        question_offsets=offsets,
        view=np.full(len(key_lo), view.number, dtype=np.int16),
        token_offsets=token_offsets,
        tokens=tokens,
        lo=key_lo,
        hi=key_hi,
        log_probability=log_probability,
    )
