"""The settings of the scorer: the weight of a key and the sum over the keys of a passage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Le, Lt
from numpy.typing import NDArray

from ltrgr.typed import (
    Count,
    Fraction,
    FractionBelowOne,
    NotNegative,
    Positive,
    Seed,
    expect_fields,
)

Listed = Annotated[int, Ge(1), Le(10_000)]
Unigrams = Annotated[int, Ge(0), Le(100_000)]
Words = Annotated[int, Ge(0), Le(1000)]
Probability = Annotated[float, Gt(0), Lt(1)]


@dataclass(frozen=True, kw_only=True)
class ScoringSettings:
    """One formula for search and training (SEAL, arXiv 2204.10628; LTRGR, arXiv 2306.15222).

        s(q, p) = sum over the counted keys n of p of u * max(0, log-odds(n) + v)^a * coverage(n)
        log-odds(n) = log[p(n|q) (1 - P(n)) / (P(n) (1 - p(n|q)))]

    u and v are the weight and the offset of the key's view. LTRGR's eq. 3, the plain sum, is
    ``exponent=1, coverage=0, frequency=False, overlap=True``. See docs/method.md, sections 6 and 7.

    Raises:
        SettingsError: a setting lies outside its range; the message names it.
    """

    exponent: Positive = 2.0
    """a: the power of a key's log odds."""
    coverage: Fraction = 0.8
    """b: the part of a key's weight that is lost if heavier keys cover all of its tokens."""
    smoothing: NotNegative = 5.0
    """s of the key's prior P(n) = (count(n) + s) / (N + s)."""
    frequency: bool = True
    """False ("LM only"): every key is priced as if it occurred once."""
    transform: Callable[[Any], Any] | None = None
    """A named function that replaces x^a. Its argument is the clamped log odds (0 or more). It is
    elementwise and works on numpy arrays and torch tensors, because search and training use it."""
    max_probability: Probability = 0.999
    """A cap on p(n|q). Near p = 1, log(1 - p) and its gradient 1 / (1 - p) explode in float32.
    Above the cap the gradient is zero."""
    partial_keys: bool = False
    """True: a key of a view with markers counts even without its end marker. False, because an
    unfinished pseudo-query ("what was the") is likely under any prompt and occurs in many
    passages. Keys of a view without markers always count. (Read by the retriever.)"""
    view_weights: Mapping[str, NotNegative] = field(default_factory=dict)
    """view -> factor u of the weight; 1 for a view that is not named."""
    view_offsets: Mapping[str, float] = field(default_factory=dict)
    """view -> v, nats added to the log odds before the clamp; 0 for a view that is not named."""
    keys_per_passage: Listed | None = 40
    """K: a passage counts only its K heaviest keys, in search and in training; None: all."""
    max_candidate_count: Count = 1500
    """A key that occurs at most this often proposes passages."""
    candidates: Count = 1500
    """Number of proposed passages that are scored in full."""
    overlap: bool = False
    """False: an occurrence may not overlap a heavier counted one in the same passage."""
    unigrams: Unigrams = 0
    """Number of single tokens of the first decoding step to add as keys (read by the retriever)."""
    question_ngrams: Words = 0
    """Longest n-grams of the question to add as keys, in words (read by the retriever)."""

    noise: NotNegative = 0.0
    """Sigma of log-normal noise on the keys' weights; see ``perturbation``."""
    drop: FractionBelowOne = 0.0
    """Fraction of the keys that are dropped; see ``perturbation``."""
    noise_seed: Seed = 0
    """Seed of both."""

    def __post_init__(self) -> None:
        expect_fields("scoring", self)

    def power(self, gain: Any) -> Any:
        """``gain ** a``, or ``transform(gain)``: the weight before the view's factor.

        Args:
            gain: log odds of 0 or more, an array or a tensor.
        """
        return gain**self.exponent if self.transform is None else self.transform(gain)

    def of_views(self, views: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weights and offsets, each [W], in the order of a family's W views.

        Raises:
            ValueError: the settings name a view that the family does not have.
        """
        unknown = sorted({*self.view_weights, *self.view_offsets} - set(views))
        if unknown:
            raise ValueError(
                f"scoring.view_weights or scoring.view_offsets name the views {unknown}; "
                f"this family has {list(views)}. Remove them, e.g. ~scoring.view_offsets."
                f"{unknown[0]}"
            )
        weights = np.array([self.view_weights.get(view, 1.0) for view in views], np.float64)
        offsets = np.array([self.view_offsets.get(view, 0.0) for view in views], np.float64)
        return weights, offsets
