"""A batch of stage 2: rank lists and the keys that score them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from ltrgr.data.identifier_batch import IdentifierBatch


@dataclass(slots=True, kw_only=True)
class RankListBatch:
    """B questions' rank lists with n distinct keys, each scored by one decoder sequence."""

    prompt_ids: Tensor
    """[E, L] one prompt per (question, view) that some key needs"""
    prompt_mask: Tensor
    """[E, L]"""
    sequence_prompt: Tensor
    """[S] the prompt of each decoder sequence"""
    labels: Tensor
    """[S, T] decoder sequences, -100 at padding; a key is a prefix of one"""
    key_sequence: Tensor
    """[n] the sequence that holds the key"""
    key_length: Tensor
    """[n] the key's tokens in that sequence"""
    key_count: Tensor
    """[n] occurrences in the corpus"""
    key_view: Tensor
    """[n] view number"""
    key_factor: Tensor
    """[n] perturbation of the key's weight, 1 where there is none"""
    key_index: Tensor
    """[B, P, K] counted keys of each passage, -1 is padding"""
    coverage: Tensor
    """[B, P, K]"""
    mined_score: Tensor
    """[B, P] the score that search gave"""
    teacher: dict[str, Tensor]
    """name -> [B, P] scores of another model, on the scale of the mined ones"""
    relevance: Tensor
    """[B, P] bool"""
    chosen: dict[str, Tensor]
    """objective term -> bool [B, P], the passages it looks at"""
    generation: IdentifierBatch | None
    """targets of the same questions, for L_gen"""

    def to(self, device: torch.device, non_blocking: bool = False) -> RankListBatch:
        """The same batch on another device."""

        def move(value: Any) -> Any:
            if isinstance(value, dict):
                return {name: move(item) for name, item in value.items()}
            return value if value is None else value.to(device, non_blocking=non_blocking)

        return RankListBatch(**{f.name: move(getattr(self, f.name)) for f in fields(self)})
