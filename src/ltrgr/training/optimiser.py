"""AdamW with linear warm-up and linear decay, and an own rate for new cross-attention."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

CROSS_ATTENTION = ("crossattention", "encoder_attn", "EncDecAttention")
"""how BERT-, BART- and T5-shaped decoders name their cross-attention"""


def parameter_groups(
    model: nn.Module,
    *,
    learning_rate: float,
    cross_attention_learning_rate: float | None,
    decay: float,
) -> list[dict[str, Any]]:
    """Weights with and without decay (biases, norms), cross-attention apart if it has a rate."""
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        new = cross_attention_learning_rate is not None and any(
            part in name for part in CROSS_ATTENTION
        )
        rate = (
            cross_attention_learning_rate
            if new and cross_attention_learning_rate is not None
            else learning_rate
        )
        key = (rate, decay if parameter.ndim > 1 else 0.0)
        groups.setdefault(key, []).append(parameter)
    return [{"params": p, "lr": rate, "weight_decay": d} for (rate, d), p in groups.items()]


def adamw_with_warm_up(
    groups: Iterable[dict[str, Any]], *, warmup_ratio: float, steps: int
) -> dict[str, Any]:
    """Lightning's optimiser dictionary.

    The rate rises linearly over the first ``warmup_ratio`` of ``steps``, then falls linearly to 0.
    """
    optimiser = torch.optim.AdamW(list(groups), betas=(0.9, 0.999))
    rising = max(1, round(warmup_ratio * steps))

    def factor(step: int) -> float:
        return min((step + 1) / rising, max(0.0, (steps - step) / max(1, steps - rising)))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, factor)
    return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
