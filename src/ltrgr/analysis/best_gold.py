"""The gold identifier of each question that teacher forcing uses."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ltrgr.analysis.gold import Gold
from ltrgr.csr import csr_ranges, pad_rows
from ltrgr.decoding.model import (
    cumulative_log_probabilities,
    decode,
    decoder_start_id,
    empty_cache,
)

PAD = -100


@torch.inference_mode()
def best_identifier(model: Any, *, states: Tensor, mask: Tensor, gold: Gold) -> NDArray[np.int64]:
    """The gold identifier with the highest log p(gold | q), for a view with markers.

    Args:
        states, mask: encoder states [B, L, d] and mask [B, L] of the view's prompts.

    Returns:
        [B, T] its tokens after the begin marker, end marker included, padded with -100. A
        question without a gold identifier has only padding.
    """
    n = len(gold.offsets) - 1
    length = gold.stop - gold.start
    labels = pad_rows(gold.text[csr_ranges(gold.start, length)], length, fill=PAD)
    chosen = np.full((n, labels.shape[1]), PAD, dtype=np.int64)
    if len(labels):
        score = cumulative_log_probabilities(
            model,
            states,
            mask,
            torch.from_numpy(labels).to(states.device),
            owner=torch.from_numpy(gold.question).to(states.device),
        )[:, -1]
        question, best = _first_best(gold.question, score.cpu().numpy())
        chosen[question] = labels[best]
    return chosen


@torch.inference_mode()
def greedy_span(
    model: Any, *, states: Tensor, mask: Tensor, gold: Gold, steps: int
) -> NDArray[np.int64]:
    """A gold span of ``steps`` tokens, by greedy decoding within the relevant passages.

    A free view has too many gold spans to score each of them. The log p of this span is a lower
    bound of that of the best span.

    Args:
        states, mask: encoder states [B, L, d] and mask [B, L] of the view's prompts.

    Returns:
        [B, steps] its tokens; -100 if no relevant passage has a span of that length.
    """
    n = len(gold.offsets) - 1
    chosen = np.full((n, steps), PAD, dtype=np.int64)
    room = gold.stop - gold.start >= steps
    start, question = gold.start[room], gold.question[room]
    cache = empty_cache()
    last = torch.full((n, 1), decoder_start_id(model), device=states.device)
    for step in range(steps if len(start) else 0):
        logits, cache = decode(model, states, mask, last, cache)
        token = gold.text[start + step].astype(np.int64)
        value = logits[:, -1].float().cpu().numpy()[question, token]
        asked, best = _first_best(question, value)
        chosen[asked, step] = token[best]
        alive = token == chosen[question, step]
        start, question = start[alive], question[alive]
        last = torch.from_numpy(chosen[:, step : step + 1].clip(min=0)).to(states.device)
    return chosen


def _first_best(
    question: NDArray[np.int64], value: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The distinct questions, and the row of the highest value of each."""
    order = np.lexsort((-value, question))
    asked, first = np.unique(question[order], return_index=True)
    return asked, order[first]
