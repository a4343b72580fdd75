"""Models of a given shape with random weights: their time is real, what they say is not."""

from __future__ import annotations

from typing import Any

import torch
from transformers import BartConfig, BartForConditionalGeneration

from ltrgr.identifiers.vocabulary import Vocabulary
from ltrgr.models.bart_from_scratch import bart_from_scratch

BART_VOCABULARY = 50_265


def tiny(vocabulary: Vocabulary) -> Any:
    """The shape of the config ``model=tiny``."""
    torch.manual_seed(0)
    return bart_from_scratch(
        vocabulary=vocabulary,
        width=128,
        layers=2,
        heads=4,
        feed_forward=512,
        dropout=0.0,
        max_positions=128,
        init_scale=0.64,
    ).eval()


def bart_base_shape(vocabulary: Vocabulary) -> Any:
    """BART-base (Lewis et al. 2020), at least its own vocabulary: 139 M parameters."""
    torch.manual_seed(0)
    config = BartConfig(
        vocab_size=max(BART_VOCABULARY, len(vocabulary)),
        d_model=768,
        encoder_layers=6,
        decoder_layers=6,
        encoder_attention_heads=12,
        decoder_attention_heads=12,
        encoder_ffn_dim=3072,
        decoder_ffn_dim=3072,
    )
    return BartForConditionalGeneration(config).eval()
