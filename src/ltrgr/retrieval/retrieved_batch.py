"""The rank lists of a batch of questions, with the keys that made them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ltrgr.corpus.store import PassageStore
from ltrgr.identifiers.keys import Keys
from ltrgr.identifiers.vocabulary import Vocabulary
from ltrgr.retrieval.hits import Hit, IdentifierMatch
from ltrgr.scoring.rank_lists import RankLists


class RetrievedBatch(NamedTuple):
    """The rank lists of a batch of B questions, and the n keys that made them."""

    questions: slice
    """which of the given questions"""
    keys: Keys
    weights: NDArray[np.float64]
    """[n] what each key is worth to its question"""
    lists: RankLists

    def hits(self, passages: PassageStore, vocabulary: Vocabulary) -> list[list[Hit]]:
        """The passages of each of the B lists, with the identifiers that found them."""
        return [
            [
                Hit(
                    passage=passages[int(passage)],
                    score=float(self.lists.score[row, place]),
                    matches=self._matches(row, place, vocabulary),
                )
                for place, passage in enumerate(self.lists.passage[row])
                if passage >= 0
            ]
            for row in range(len(self.lists.passage))
        ]

    def _matches(self, row: int, place: int, vocabulary: Vocabulary) -> tuple[IdentifierMatch, ...]:
        keys, first = self.keys, self.keys.question_offsets[row]
        lists = self.lists
        counted = zip(lists.key[row, place], lists.coverage[row, place], strict=True)
        return tuple(
            IdentifierMatch(
                view=vocabulary.family.names[keys.view[key]],
                text=vocabulary.text(
                    keys.tokens[keys.token_offsets[key] : keys.token_offsets[key + 1]]
                ),
                count=int((keys.hi[key] - keys.lo[key]).sum()),
                weight=float(self.weights[key]),
                coverage=float(coverage),
            )
            for key, coverage in ((first + key, coverage) for key, coverage in counted if key >= 0)
        )
