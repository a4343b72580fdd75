"""Known errors in the scorer: noise on the weights of keys, and dropped keys.

The LTRGR paper names its dependence on the heuristic function as the first limitation. A heuristic
with a known error measures that dependence.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltrgr.compiled import njit
from ltrgr.scoring.scoring_settings import ScoringSettings


def perturbation(
    tokens: NDArray[np.int32], token_offsets: NDArray[np.int64], *, settings: ScoringSettings
) -> NDArray[np.float64]:
    """Factor [n] of each key's weight: ``exp(sigma z)``, z standard normal, or 0 where dropped.

    ``z`` and the choice of dropped keys depend only on a key's tokens and ``settings.noise_seed``,
    so a key has the same error for every question, in search, mining and training.

    Args:
        tokens, token_offsets: the n keys in CSR form, as in ``Keys``.

    Returns:
        float64 [n], 0 or more; all ones without noise and drop.
    """
    n = len(token_offsets) - 1
    if settings.noise == 0 and settings.drop == 0:
        return np.ones(n)
    uniforms = _uniforms(
        np.asarray(tokens, np.int32), np.asarray(token_offsets, np.int64), settings.noise_seed
    )
    normal = np.sqrt(-2 * np.log(uniforms[:, 0])) * np.cos(
        2 * np.pi * uniforms[:, 1]
    )  # Box and Muller
    factor: NDArray[np.float64] = np.exp(settings.noise * normal) * (
        uniforms[:, 2] >= settings.drop
    )
    return factor


@njit(cache=True)
def _uniforms(tokens: Any, token_offsets: Any, seed: int) -> Any:
    """[n, 3] uniform numbers in (0, 1), from a hash of each key's tokens (splitmix64)."""
    n = len(token_offsets) - 1
    uniforms = np.empty((n, 3))
    for key in range(n):
        state = _mixed(np.uint64(seed))
        for place in range(token_offsets[key], token_offsets[key + 1]):
            state = _mixed(state ^ np.uint64(tokens[place]))
        for column in range(3):
            state = _mixed(state)
            uniforms[key, column] = (np.float64(state >> np.uint64(11)) + 0.5) / 2.0**53
    return uniforms


@njit(cache=True)
def _mixed(state: Any) -> Any:
    """One step of splitmix64 (Steele, Lea and Flood 2014)."""
    state += np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
