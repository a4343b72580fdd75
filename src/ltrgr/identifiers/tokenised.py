"""Questions as flat token ids, with the numbers of their relevant passages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltrgr.corpus.records import Passage, Split
from ltrgr.csr import csr_offsets, csr_owners, csr_ranges
from ltrgr.identifiers.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenisedQuestions:
    """Q questions in CSR form, and their M relevant (question, passage) pairs."""

    offsets: NDArray[np.int64]
    """[Q + 1] tokens of question q are ``tokens[offsets[q]:offsets[q + 1]]``"""
    tokens: NDArray[np.int32]
    """[sum of lengths] token ids"""
    relevant_offsets: NDArray[np.int64]
    """[Q + 1] relevant passages of question q, as a range of ``relevant``"""
    relevant: NDArray[np.int64]
    """[M] passage numbers"""

    @property
    def pair_question(self) -> NDArray[np.int64]:
        """[M] the question of each relevant pair."""
        return csr_owners(self.relevant_offsets)

    def of(self, rows: NDArray[np.int64]) -> TokenisedQuestions:
        """The questions ``rows``, in that order."""
        lengths, widths = np.diff(self.offsets)[rows], np.diff(self.relevant_offsets)[rows]
        return TokenisedQuestions(
            offsets=csr_offsets(lengths),
            tokens=self.tokens[csr_ranges(self.offsets[rows], lengths)],
            relevant_offsets=csr_offsets(widths),
            relevant=self.relevant[csr_ranges(self.relevant_offsets[rows], widths)],
        )


def tokenise_questions(
    split: Split, passages: Sequence[Passage], *, vocabulary: Vocabulary, longest: int | None = None
) -> TokenisedQuestions:
    """Encode the questions of a split and number their relevant passages (grade above 0).

    Args:
        longest: keep the first ``longest`` tokens of a question; None: all.
    """
    number = {passage.id: i for i, passage in enumerate(passages)}
    encoded = [ids[:longest] for ids in vocabulary.encode([q.text for q in split.queries])]
    relevant = [
        sorted(number[p] for p, grade in split.qrels.get(q.id, {}).items() if grade > 0)
        for q in split.queries
    ]
    return TokenisedQuestions(
        offsets=csr_offsets([len(ids) for ids in encoded]),
        tokens=np.concatenate(encoded) if encoded else np.zeros(0, dtype=np.int32),
        relevant_offsets=csr_offsets([len(r) for r in relevant]),
        relevant=np.asarray([p for r in relevant for p in r], dtype=np.int64),
    )
