"""Keys: the identifiers that a search found for a batch of questions, as flat arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltrgr.csr import csr_owners


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The n keys of B questions in CSR form, ordered by question.

    A key is a sequence of token ids as it occurs in the corpus, the begin marker of its view
    included; it is never text (law 2 in docs/method.md). Within a question, no (view, tokens)
    occurs twice. Section 5 of docs/method.md has a drawing.
    """

    question_offsets: NDArray[np.int64]
    """[B + 1] keys of question b are ``question_offsets[b]:question_offsets[b + 1]``."""
    view: NDArray[np.int16]
    """[n] position of the key's view in the family's list of views."""
    token_offsets: NDArray[np.int64]
    """[n + 1] tokens of key i are ``tokens[token_offsets[i]:token_offsets[i + 1]]``."""
    tokens: NDArray[np.int32]
    """[sum of lengths] token ids."""
    lo: NDArray[np.int64]
    """[n, S] the key's first row in each of the index's S shards."""
    hi: NDArray[np.int64]
    """[n, S] one past its last row in each shard; ``hi - lo`` is its count there."""
    log_probability: NDArray[np.float32]
    """[n] log p(key | question) under the prompt of the key's view, nats."""

    @property
    def count(self) -> NDArray[np.int64]:
        """[n] occurrences in the corpus, over all shards."""
        count: NDArray[np.int64] = (self.hi - self.lo).sum(axis=1)
        return count

    @property
    def length(self) -> NDArray[np.int64]:
        """[n] tokens of each key, markers included."""
        return np.diff(self.token_offsets)

    @property
    def question(self) -> NDArray[np.int64]:
        """[n] the question of each key."""
        return csr_owners(self.question_offsets)
