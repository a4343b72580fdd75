"""A batch of stage 1: prompts and the identifiers to generate."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(slots=True)
class IdentifierBatch:
    """B prompts, each with the identifier to generate."""

    prompt_ids: Tensor
    """[B, L] encoder input"""
    prompt_mask: Tensor
    """[B, L] 1 at tokens, 0 at padding"""
    labels: Tensor
    """[B, T] target tokens, -100 at padding"""

    def to(self, device: torch.device, non_blocking: bool = False) -> IdentifierBatch:
        """The same batch on another device."""
        return IdentifierBatch(
            *(
                field.to(device, non_blocking=non_blocking)
                for field in (self.prompt_ids, self.prompt_mask, self.labels)
            )
        )
