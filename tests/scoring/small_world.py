"""Small corpora with a real index, and keys from lists of token ids."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from ltrgr.identifiers.keys import Keys
from ltrgr.index.fm_index import FMIndex
from ltrgr.index.shards import Shards


def build(passages: list[list[int]], vocabulary_size: int) -> Shards:
    return build_shards([passages], vocabulary_size)


def build_shards(parts: list[list[list[int]]], vocabulary_size: int) -> Shards:
    """An index with one shard for each part of the corpus."""
    return Shards([_build(passages, vocabulary_size) for passages in parts])


def _build(passages: list[list[int]], vocabulary_size: int) -> FMIndex:
    tokens = np.concatenate([np.asarray(p, np.int32) for p in passages])
    offsets = np.cumsum([0, *map(len, passages)]).astype(np.int64)
    with tempfile.TemporaryDirectory() as directory:  # the maps outlive the names
        return FMIndex.build(
            tokens=tokens,
            offsets=offsets,
            vocabulary_size=vocabulary_size,
            directory=Path(directory) / "index",
        )


def make_keys(questions: list[list[list[int]]], index: Shards) -> Keys:
    """questions -> keys -> token ids."""
    flat = [key for keys in questions for key in keys]
    token_offsets = np.cumsum([0, *map(len, flat)]).astype(np.int64)
    tokens = np.array([token for key in flat for token in key], np.int32)
    lo, hi = index.intervals(token_offsets, tokens)
    return Keys(
        question_offsets=np.cumsum([0, *map(len, questions)]).astype(np.int64),
        view=np.zeros(len(flat), np.int16),
        token_offsets=token_offsets,
        tokens=tokens,
        lo=lo,
        hi=hi,
        log_probability=np.full(len(flat), -1.0, np.float32),
    )
