"""The devices that a model can compute on."""

from __future__ import annotations

import torch

from ltrgr.errors import RetrieverError


def expect_device(device: str | torch.device) -> torch.device:
    """``device``, if torch can compute on it here: ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.

    Raises:
        RetrieverError: there is no such device; names those that torch sees.
    """
    try:
        wanted = torch.device(device)
    except (RuntimeError, TypeError):
        raise RetrieverError(f"device={device!r}: expected {_seen()}") from None
    there = {
        "cpu": True,
        "cuda": (wanted.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not there.get(wanted.type):
        raise RetrieverError(
            f"device={str(device)!r}: torch sees no such device; expected {_seen()}"
        )
    return wanted


def _seen() -> str:
    cards = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    return " or ".join(["cpu", *cards, *(["mps"] if torch.backends.mps.is_available() else [])])
