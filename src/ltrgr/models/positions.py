"""How many positions a network has, before it is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from transformers import AutoConfig

LIMITS = (
    "max_position_embeddings",
    "max_encoder_position_embeddings",
    "max_decoder_position_embeddings",
)
"""What the configurations of transformers call a table of positions. T5's have none: its positions
are relative."""


def position_limit(network: Callable[..., Any]) -> int | None:
    """The longest sequence, in tokens, that encoder and decoder can read.

    Args:
        network: a function that makes a network, with its settings bound (``functools.partial``):
            ``max_positions``, or ``checkpoint``, the directory or the name of a pretrained model.

    Returns:
        None where there is no limit, or where it is not known yet: a checkpoint that is not on
        this machine. Nothing is fetched.
    """
    given = getattr(network, "keywords", {})
    if "max_positions" in given:
        return int(given["max_positions"])
    if "checkpoint" not in given:
        return None
    try:
        config = AutoConfig.from_pretrained(
            given["checkpoint"], local_files_only=True, trust_remote_code=False
        )
    except Exception:  # a missing or a damaged checkpoint; loading it says what is wrong
        return None
    found = [getattr(config, name, None) for name in LIMITS]
    return min((n for n in found if isinstance(n, int) and n > 0), default=None)
