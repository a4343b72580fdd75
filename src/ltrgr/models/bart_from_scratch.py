"""A small BART with random weights, for corpora that a laptop can learn in minutes."""

from __future__ import annotations

from transformers import BartConfig, BartForConditionalGeneration

from ltrgr.identifiers.vocabulary import Vocabulary
from ltrgr.typed import Count, FractionBelowOne, Positive


def bart_from_scratch(
    *,
    vocabulary: Vocabulary,
    width: Count,
    layers: Count,
    heads: Count,
    feed_forward: Count,
    dropout: FractionBelowOne,
    max_positions: Count,
    init_scale: Positive,
) -> BartForConditionalGeneration:
    """A BART with random weights (Lewis et al. 2020), ``layers`` in encoder and decoder each.

    Args:
        max_positions: number of positions; prompts and identifiers must be shorter.
        init_scale: standard deviation of the initial weights times sqrt(width), so that a layer
            keeps the scale of its input at any width. BART-large has 0.02 * sqrt(1024) = 0.64.
    """
    tokenizer = vocabulary.tokenizer
    config = BartConfig(
        vocab_size=len(vocabulary),
        d_model=width,
        encoder_layers=layers,
        decoder_layers=layers,
        encoder_attention_heads=heads,
        decoder_attention_heads=heads,
        encoder_ffn_dim=feed_forward,
        decoder_ffn_dim=feed_forward,
        dropout=dropout,
        attention_dropout=dropout,
        activation_dropout=0.0,
        max_position_embeddings=max_positions,
        init_std=init_scale / width**0.5,
        bos_token_id=tokenizer.bos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.bos_token_id,
        forced_eos_token_id=None,
    )
    return BartForConditionalGeneration(config)
