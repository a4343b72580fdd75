"""The calls that decoding and scoring make to a Hugging Face encoder-decoder."""

from __future__ import annotations

import functools
import inspect
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers.cache_utils import DynamicCache, EncoderDecoderCache
from transformers.modeling_outputs import BaseModelOutput

GROUPS = 4
"""number of groups of similar length into which a CPU splits a batch of label sequences"""


def decoder_start_id(model: Any) -> int:
    """The token id at the beginning of every decoder input.

    Raises:
        ValueError: the model's config does not name one.
    """
    for config in (model.config, getattr(model, "generation_config", None)):
        start = getattr(config, "decoder_start_token_id", None)
        if start is not None:
            return int(start)
    raise ValueError(
        "the model's config has no decoder_start_token_id; set it, for example to its pad or "
        "bos token id, before wrapping the model"
    )


def encode(model: Any, prompt_ids: Tensor, prompt_mask: Tensor) -> Tensor:
    """Encoder states [R, L, d] of prompts [R, L]."""
    states: Tensor = model.get_encoder()(input_ids=prompt_ids, attention_mask=prompt_mask)[0]
    return states


def decode(
    model: Any, states: Tensor, prompt_mask: Tensor, decoder_ids: Tensor, cache: Any = None
) -> tuple[Tensor, Any]:
    """Logits [S, T, V] of decoder inputs [S, T], and the updated cache (None without a cache).

    Args:
        states, prompt_mask: encoder states [S, L, d] of each sequence's prompt and their mask.
    """
    output = model(
        encoder_outputs=BaseModelOutput(last_hidden_state=states),
        attention_mask=prompt_mask,
        decoder_input_ids=decoder_ids,
        use_cache=cache is not None,
        **{_cache_argument(type(model)): cache},  # type: ignore[arg-type]
    )
    return output.logits, cache  # the model updates it in place


@functools.cache
def _cache_argument(kind: Any) -> str:
    """What transformers calls the cache: another name from 5.24 on."""
    named = inspect.signature(kind.forward).parameters
    return "cache" if "cache" in named else "past_key_values"


def empty_cache() -> EncoderDecoderCache:
    """A new key-value cache for incremental decoding."""
    return EncoderDecoderCache(DynamicCache(), DynamicCache())


def cumulative_log_probabilities(
    model: Any, states: Tensor, prompt_mask: Tensor, labels: Tensor, *, owner: Tensor
) -> Tensor:
    """log p of every prefix of every label sequence, by one teacher-forced pass.

    Args:
        states, prompt_mask: encoder states [E, L, d] of E prompts and their mask [E, L].
        labels: token ids [S, T], padded with -100.
        owner: [S] the prompt of each sequence, an index into E.

    Returns:
        [S, T], differentiable, float32 or wider: entry (s, t) is
        sum_{i <= t} log p(label_i | label_<i, prompt). Padding repeats the value of the whole
        sequence.
    """
    groups = by_length(labels)
    steps = [
        _step_log_probabilities(
            model, states.index_select(0, owner[rows]), prompt_mask[owner[rows]], trimmed
        )
        for rows, trimmed in groups
    ]
    padded = [functional.pad(part, (0, labels.shape[1] - part.shape[1])) for part in steps]
    order = torch.cat([rows for rows, _ in groups]).argsort()
    return torch.cat(padded).index_select(0, order).cumsum(dim=1)


def by_length(labels: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Group the rows of labels [S, T] by length; cut each group to its longest row.

    On a CPU, most of a step would be the output layer over padding; a GPU prefers one large call.

    Returns:
        (rows [r], labels [r, T']) of each group.
    """
    length = (labels >= 0).sum(dim=1)
    order = length.argsort(stable=True)
    groups = GROUPS if labels.device.type == "cpu" and len(labels) >= 8 * GROUPS else 1
    return [(rows, labels[rows, : int(length[rows].max())]) for rows in order.tensor_split(groups)]


def teacher_forced_logits(
    model: Any, states: Tensor, prompt_mask: Tensor, labels: Tensor
) -> Tensor:
    """Logits [S, T, V] of each label given the labels before it, at least float32.

    The decoder input is the start token and the labels shifted by one.

    Args:
        states, prompt_mask: encoder states [S, L, d] of each sequence's prompt and their mask.
        labels: [S, T], padded with -100.
    """
    start = torch.full_like(labels[:, :1], decoder_start_id(model))
    inputs = torch.cat([start, labels[:, :-1].clamp(min=0)], dim=1)
    return decode(model, states, prompt_mask, inputs)[0].float()


def _step_log_probabilities(
    model: Any, states: Tensor, prompt_mask: Tensor, labels: Tensor
) -> Tensor:
    """log p [S, T] of each label given the labels before it, 0 at padding."""
    logits = teacher_forced_logits(model, states, prompt_mask, labels)
    loss = functional.cross_entropy(
        logits.flatten(0, 1), labels.flatten(), ignore_index=-100, reduction="none"
    )
    return -loss.view_as(labels)
