"""What decoding, scoring and analysis need of an index, whatever its kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

Rows = NDArray[np.int64]


class Index(Protocol):
    """An index of S >= 1 shards over consecutive passages.

    The state of a key is one interval of rows in each shard, lo and hi [n, S], with one row for
    each occurrence. Compiled code takes ``arrays``, whose type selects its kernels (`any_index`).
    """

    def __len__(self) -> int:
        """S, the number of shards."""

    @property
    def arrays(self) -> Sequence[Any]:
        """[S] the arrays of each shard: a NamedTuple of a type in ``any_index.KERNELS``."""

    @property
    def n_tokens(self) -> int:
        """N, tokens in the token stream of the corpus, those that no key holds included."""

    @property
    def n_passages(self) -> int:
        """P, passages in the corpus."""

    @property
    def vocabulary_size(self) -> int:
        """V, number of token ids."""

    @property
    def first_token(self) -> Rows:
        """[S + 1] the first token of each shard in the token stream, and N."""

    @property
    def first_passage(self) -> Rows:
        """[S + 1] the first passage of each shard, and P."""

    def interval(self, tokens: ArrayLike) -> tuple[Rows, Rows]:
        """The rows lo, hi [S] of one key; lo == hi in a shard without it. The empty key has all."""

    def intervals(self, token_offsets: ArrayLike, flat_tokens: ArrayLike) -> tuple[Rows, Rows]:
        """lo, hi [n, S]; key i is ``flat_tokens[token_offsets[i]:token_offsets[i + 1]]``."""

    def extend(
        self, lo: ArrayLike, hi: ArrayLike, tokens: ArrayLike, *, depth: int
    ) -> tuple[Rows, Rows]:
        """lo, hi [n, S] of n keys of ``depth`` tokens, each extended by its own token [n]."""

    def token_counts(self, *, size: int) -> NDArray[np.int64]:
        """[size] occurrences of each token as a key of its own, over all shards."""
