"""A slow constrained beam search without index, cache or batch: the judge of the fast one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BertConfig,
    EncoderDecoderConfig,
    EncoderDecoderModel,
    T5Config,
    T5ForConditionalGeneration,
)

from ltrgr.decoding.beam_search import Found, SearchedView, constrained_beam_search
from ltrgr.index.shards import Shards
from tiny_world import awake

BEGIN, END, CLOSE = 4, 5, 6
"""markers of the toy vocabulary: begin and end of a title, end of a passage"""
FIRST_WORD = 7
"""0 to 3 are a model's own special tokens"""

BODY = SearchedView(number=0, max_new_tokens=4)
TITLE = SearchedView(number=1, begin=BEGIN, end=END, max_new_tokens=5)

Judged = dict[tuple[int, ...], float]
"""key, begin marker included -> log p"""


@dataclass
class Toy:
    """A corpus of integers under an index, and a model over its vocabulary."""

    stream: list[int]
    index: Shards
    is_marker: Any
    model: Any

    def search(self, questions: list[list[int]], view: SearchedView, *, num_beams: int) -> Found:
        longest = max(map(len, questions))
        ids = torch.tensor([q + [1] * (longest - len(q)) for q in questions])
        mask = torch.tensor([[1] * len(q) + [0] * (longest - len(q)) for q in questions])
        return constrained_beam_search(
            self.model,
            prompt_ids=ids,
            prompt_mask=mask,
            view=view,
            index=self.index,
            is_marker=self.is_marker,
            num_beams=num_beams,
        )


def toy(
    passages: list[list[int]],
    *,
    size: int,
    model: Any,
    directory: Path,
    shard_tokens: int | None = None,
    wide_threshold: int = 4096,
) -> Toy:
    stream = [token for passage in passages for token in passage]
    index = Shards.build(
        tokens=np.asarray(stream),
        offsets=np.cumsum([0, *map(len, passages)]),
        vocabulary_size=size,
        directory=directory / "fm_index",
        shard_tokens=shard_tokens,
        wide_threshold=wide_threshold,
    )
    marker = np.zeros(size, dtype=np.bool_)
    marker[[BEGIN, END, CLOSE]] = True
    return Toy(stream, index, marker, model)


def random_passages(*, words: int, passages: int, seed: int) -> list[list[int]]:
    """Title and body of random words, between their markers."""
    random = np.random.default_rng(seed)

    def some(least: int, most: int) -> list[int]:
        n = int(random.integers(least, most))
        return [FIRST_WORD + int(w) for w in random.integers(0, words, n)]

    return [[BEGIN, *some(1, 5), END, *some(4, 12), CLOSE] for _ in range(passages)]


def bart(size: int, seed: int = 0) -> Any:
    torch.manual_seed(seed)
    config = BartConfig(
        vocab_size=size,
        d_model=32,
        encoder_layers=1,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=48,
        decoder_ffn_dim=48,
        max_position_embeddings=40,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=0,
        forced_eos_token_id=None,
    )
    return awake(BartForConditionalGeneration(config))


def t5(size: int) -> Any:
    torch.manual_seed(1)
    config = T5Config(
        vocab_size=size,
        d_model=32,
        d_kv=16,
        d_ff=48,
        num_layers=1,
        num_heads=2,
        pad_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=1,
    )
    return T5ForConditionalGeneration(config).eval()


def bert_to_bert(size: int) -> Any:
    torch.manual_seed(2)
    shape: dict[str, Any] = {
        "vocab_size": size,
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 48,
        "max_position_embeddings": 40,
    }
    config = EncoderDecoderConfig.from_encoder_decoder_configs(
        BertConfig(**shape), BertConfig(**shape, is_decoder=True, add_cross_attention=True)
    )
    config.decoder_start_token_id, config.pad_token_id = 0, 1
    return awake(EncoderDecoderModel(config))


def judge(world: Toy, question: list[int], view: SearchedView, *, num_beams: int) -> Judged:
    """Every hypothesis that was ever among the best, by full forward passes and naive scans."""
    start = world.model.config.decoder_start_token_id
    prefix = () if view.begin < 0 else (view.begin,)
    alive: Judged = {(): 0.0}
    kept: Judged = {}
    for _ in range(view.max_new_tokens):
        candidates: Judged = {}
        for tokens, score in alive.items():
            with torch.no_grad():
                logits = world.model(
                    input_ids=torch.tensor([question]),
                    decoder_input_ids=torch.tensor([[start, *tokens]]),
                ).logits[0, -1]
            log_p = logits.log_softmax(0)
            for token in followers(world.stream, (*prefix, *tokens)):
                if not world.is_marker[token] or token == view.end:
                    candidates[(*tokens, token)] = score + float(log_p[token])
        ranked = sorted(candidates, key=lambda key: -candidates[key])
        ended = [key for key in ranked[:num_beams] if key[-1] == view.end]
        alive = {k: candidates[k] for k in [k for k in ranked if k[-1] != view.end][:num_beams]}
        kept |= alive | {key: candidates[key] for key in ended}
    return {(*prefix, *key): score for key, score in kept.items()}


def followers(stream: list[int], key: tuple[int, ...]) -> set[int]:
    n = len(key)
    return {stream[i + n] for i in range(len(stream) - n) if tuple(stream[i : i + n]) == key}


def as_dicts(found: Found) -> list[Judged]:
    """One dictionary a question; fails on a key that comes twice."""
    keys = found.keys
    result: list[Judged] = [{} for _ in range(len(keys.question_offsets) - 1)]
    for i, question in enumerate(keys.question):
        key = tuple(keys.tokens[keys.token_offsets[i] : keys.token_offsets[i + 1]].tolist())
        assert key not in result[question]
        result[question][key] = float(keys.log_probability[i])
    assert all(math.isfinite(v) for one in result for v in one.values())
    return result
