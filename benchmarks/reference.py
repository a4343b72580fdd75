"""The obviously right way, in plain Python: lists, dicts and a scan of the text."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

Key = tuple[int, ...]


@dataclass(frozen=True)
class Hypothesis:
    """A key on a beam: its tokens, log p, and where each of its occurrences ends."""

    tokens: Key
    score: float
    ends: Sequence[int]


class Reference:
    """A corpus as Python lists; a key's interval is the list of places where it ends."""

    def __init__(self, tokens: Sequence[int], offsets: Sequence[int]) -> None:
        self.text = list(tokens)
        self.offsets = list(offsets)
        self.starts: dict[int, list[int]] = {}
        for position, token in enumerate(self.text):
            self.starts.setdefault(token, []).append(position)

    @property
    def root(self) -> Sequence[int]:
        """The empty key ends at every place of the text."""
        return range(len(self.text))

    def locate(self, key: Key) -> list[int]:
        """Where the key (one token at least) begins."""
        n = len(key)
        return [p for p in self.starts.get(key[0], []) if tuple(self.text[p : p + n]) == key]

    def ends(self, key: Key) -> list[int]:
        """Where the key's occurrences end (exclusive)."""
        return [p + len(key) for p in self.locate(key)]

    def extend(self, ends: Sequence[int], token: int) -> list[int]:
        """The places where the key followed by ``token`` ends."""
        return [e + 1 for e in ends if e < len(self.text) and self.text[e] == token]

    def allowed(self, ends: Sequence[int]) -> Counter[int]:
        """How often each token follows the key."""
        return Counter(self.text[e] for e in ends if e < len(self.text))

    def passage_of(self, position: int) -> int:
        return bisect_right(self.offsets, position) - 1

    def passage_tokens(self, passage: int) -> list[int]:
        return self.text[self.offsets[passage] : self.offsets[passage + 1]]

    def step(
        self,
        beam: Sequence[Hypothesis],
        log_p: Sequence[Sequence[float]],
        *,
        markers: set[int],
        num_beams: int,
    ) -> list[Hypothesis]:
        """One step of a constrained beam search for keys without markers, best first.

        ``log_p`` [width][V] holds log p of each next token of each hypothesis.
        """
        found = [
            (hypothesis.score + log_p[row][token], row, token)
            for row, hypothesis in enumerate(beam)
            for token in self.allowed(hypothesis.ends)
            if token not in markers
        ]
        found.sort(key=lambda candidate: -candidate[0])
        return [
            Hypothesis((*beam[row].tokens, token), score, self.extend(beam[row].ends, token))
            for score, row, token in found[:num_beams]
        ]

    def passage_scores(
        self,
        keys: Sequence[Key],
        weights: Sequence[float],
        *,
        markers: set[int],
        coverage: float,
        most: int,
        max_candidate_count: int,
        candidates: int,
        k: int,
    ) -> list[tuple[int, float]]:
        """The k best (passage, score) of one question, as `score_passages` defines them."""
        order = sorted(range(len(keys)), key=lambda i: (-weights[i], -len(keys[i]), i))
        order = [i for i in order if weights[i] > 0]
        found = {i: self.locate(keys[i]) for i in order}
        places = {i: self._by_passage(found[i], len(keys[i])) for i in order}
        proposals: dict[int, list[float]] = {}
        for common in (False, True):
            if not proposals:
                for i in order:
                    if (len(found[i]) > max_candidate_count) == common:
                        for passage in places[i]:
                            proposals.setdefault(passage, []).append(weights[i])
        totals = {passage: math.fsum(parts) for passage, parts in proposals.items()}
        chosen = sorted(totals, key=lambda p: (-totals[p], p))[:candidates]
        scored = [
            (p, self._score(p, order, keys, weights, places, markers, coverage, most))
            for p in chosen
        ]
        return sorted(scored, key=lambda pair: (-pair[1], pair[0]))[:k]

    def _by_passage(self, positions: Sequence[int], length: int) -> dict[int, list[int]]:
        """The occurrences inside one passage, ascending."""
        places: dict[int, list[int]] = {}
        for position in sorted(positions):
            passage = self.passage_of(position)
            if position + length <= self.offsets[passage + 1]:
                places.setdefault(passage, []).append(position)
        return places

    @staticmethod
    def _score(
        passage: int,
        order: Sequence[int],
        keys: Sequence[Key],
        weights: Sequence[float],
        places: dict[int, dict[int, list[int]]],
        markers: set[int],
        coverage: float,
        most: int,
    ) -> float:
        score, counted = 0.0, 0
        taken: set[int] = set()
        known: set[int] = set()
        for i in order:
            if counted == most:
                break
            for start in places[i].get(passage, []):
                span = range(start, start + len(keys[i]))
                if taken.isdisjoint(span):
                    own = set(keys[i]) - markers
                    new = len(own - known) / len(own) if own else 1.0
                    score += weights[i] * (1 - coverage + coverage * new)
                    taken.update(span)
                    known |= own
                    counted += 1
                    break
        return score
