"""Parameter groups, and the optimizer and learning-rate schedule that Lightning steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any

from annotated_types import Len
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from ltrgr.typed import Fraction, FractionBelowOne, NotNegative, Positive

MakeOptimizer = Callable[[Iterable[dict[str, Any]]], Optimizer]
"""parameter groups -> optimizer; ``torch.optim.AdamW`` with its settings bound, for example"""

MakeScheduler = Callable[..., LRScheduler]
"""(optimizer, *, steps: int) -> schedule, which is stepped once for each of ``steps``"""

OPTIMIZER_RANGES: dict[str, Any] = {
    "lr": Positive,
    "weight_decay": NotNegative,
    "betas": Annotated[Sequence[FractionBelowOne], Len(2, 2)],
}
"""of every optimizer of torch, whose own annotations are wider"""

CROSS_ATTENTION = ("crossattention", "encoder_attn", "EncDecAttention")
"""how BERT-, BART- and T5-shaped decoders name their cross-attention"""


def parameter_groups(
    model: nn.Module, *, cross_attention_learning_rate: float | None = None
) -> list[dict[str, Any]]:
    """The parameters that need a gradient, in groups.

    Biases and norms have no weight decay. Cross-attention has its own learning rate if one is
    given. What a group does not say, it takes from the optimizer.
    """
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            new = cross_attention_learning_rate is not None and any(
                part in name for part in CROSS_ATTENTION
            )
            groups.setdefault((new, parameter.ndim > 1), []).append(parameter)
    return [
        {
            "params": parameters,
            **({"lr": cross_attention_learning_rate} if new else {}),
            **({} if decays else {"weight_decay": 0.0}),
        }
        for (new, decays), parameters in groups.items()
    ]


def linear(optimizer: Optimizer, *, steps: int, warmup_ratio: Fraction) -> LambdaLR:
    """The rate rises over the first ``warmup_ratio`` of ``steps``, then falls linearly to 0.

    Raises:
        ValueError: ``warmup_ratio`` is not between 0 and 1.
    """
    rising = _rising(warmup_ratio, steps)
    return LambdaLR(
        optimizer,
        lambda step: min((step + 1) / rising, max(0.0, (steps - step) / max(1, steps - rising))),
    )


def cosine(optimizer: Optimizer, *, steps: int, warmup_ratio: Fraction) -> LambdaLR:
    """The rate rises over the first ``warmup_ratio`` of ``steps``, then falls to 0 along half a
    cosine (Loshchilov & Hutter 2017, "SGDR").

    Raises:
        ValueError: ``warmup_ratio`` is not between 0 and 1.
    """
    rising = _rising(warmup_ratio, steps)

    def factor(step: int) -> float:
        done = min(1.0, max(0.0, (step - rising) / max(1, steps - rising)))
        return min((step + 1) / rising, 0.5 * (1 + math.cos(math.pi * done)))

    return LambdaLR(optimizer, factor)


def constant(optimizer: Optimizer, *, steps: int, warmup_ratio: Fraction) -> LambdaLR:
    """The rate rises over the first ``warmup_ratio`` of ``steps``, then stays.

    Raises:
        ValueError: ``warmup_ratio`` is not between 0 and 1.
    """
    rising = _rising(warmup_ratio, steps)
    return LambdaLR(optimizer, lambda step: min((step + 1) / rising, 1.0))


def lightning_optimizer(
    groups: Iterable[dict[str, Any]],
    *,
    optimizer: MakeOptimizer,
    scheduler: MakeScheduler,
    steps: int,
) -> dict[str, Any]:
    """What ``LightningModule.configure_optimizers`` returns."""
    made = optimizer(list(groups))
    schedule = scheduler(made, steps=steps)
    return {"optimizer": made, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def _rising(warmup_ratio: float, steps: int) -> int:
    """Steps of the warm-up, at least 1."""
    if not 0 <= warmup_ratio <= 1:
        raise ValueError(f"warmup_ratio={warmup_ratio!r}: expected 0 to 1")
    return max(1, round(warmup_ratio * steps))
