"""What decoding and scoring ask of a Hugging Face encoder-decoder: encode, step, score."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import DynamicCache, EncoderDecoderCache
from transformers.modeling_outputs import BaseModelOutput


def decoder_start_id(model: Any) -> int:
    """The id that every decoder input begins with.

    Raises:
        ValueError: if the model's config does not name one.
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
    """Logits [S, T, V] of decoder inputs [S, T], and the updated cache (None if none came)."""
    output = model(
        encoder_outputs=BaseModelOutput(last_hidden_state=states),
        attention_mask=prompt_mask,
        decoder_input_ids=decoder_ids,
        past_key_values=cache,
        use_cache=cache is not None,
    )
    return output.logits, output.past_key_values if cache is not None else None


def empty_cache() -> EncoderDecoderCache:
    """A fresh key-value cache for incremental decoding."""
    return EncoderDecoderCache(DynamicCache(), DynamicCache())


def cumulative_log_probabilities(
    model: Any, states: Tensor, prompt_mask: Tensor, labels: Tensor
) -> Tensor:
    """log p of every prefix of every label sequence, by teacher forcing.

    Args:
        states: encoder states [S, L, d], one row a sequence.
        labels: token ids [S, T], padded with -100.

    Returns:
        [S, T]: entry (s, t) is sum_{i <= t} log p(label_i | label_<i, prompt); at padding it
        repeats the whole sequence's value. float32 at least, differentiable.
    """
    padding = labels < 0
    start = torch.full_like(labels[:, :1], decoder_start_id(model))
    inputs = torch.cat([start, labels[:, :-1].clamp(min=0)], dim=1)
    logits, _ = decode(model, states, prompt_mask, inputs)
    logits = logits.float()
    chosen = logits.gather(2, labels.clamp(min=0).unsqueeze(2)).squeeze(2)
    steps = (chosen - logits.logsumexp(dim=2)).masked_fill(padding, 0.0)
    return steps.cumsum(dim=1)
