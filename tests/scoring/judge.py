"""The judge: scores by definition, in loops and dictionaries, with nothing taken from the room."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    coverage: float = 0.8
    overlap: bool = False
    most: int | None = 40
    max_candidate_count: int = 1500
    candidates: int = 1500


@dataclass(frozen=True)
class Found:
    passage: int
    score: float
    keys: list[int]
    covers: list[float]
    positions: list[int]


def occurrences(passage: list[int], key: list[int]) -> list[int]:
    m = len(key)
    return [i for i in range(len(passage) - m + 1) if passage[i : i + m] == key]


def allowed(
    passages: list[list[int]], key: list[int], ranges: list[tuple[int, int]]
) -> dict[int, list[int]]:
    """passage -> corpus positions of the key outside the excluded ranges, ascending."""
    found: dict[int, list[int]] = {}
    begin = 0
    for number, passage in enumerate(passages):
        for place in occurrences(passage, key):
            covered = set(range(begin + place, begin + place + len(key)))
            if not any(covered & set(range(*span)) for span in ranges):
                found.setdefault(number, []).append(begin + place)
        begin += len(passage)
    return found


def judge(
    passages: list[list[int]],
    keys: list[list[int]],
    weights: list[float],
    counts: list[int],
    *,
    markers: set[int],
    rule: Rule,
    ranges: list[tuple[int, int]],
    k: int,
) -> list[Found]:
    order = sorted(range(len(keys)), key=lambda i: (-weights[i], -len(keys[i]), i))
    order = [i for i in order if weights[i] > 0]
    places = {i: allowed(passages, keys[i], ranges) for i in order}
    proposals: dict[int, float] = {}
    for common in (False, True):
        if not proposals:
            for i in order:
                if (counts[i] > rule.max_candidate_count) == common:
                    for number in places[i]:
                        proposals[number] = proposals.get(number, 0.0) + weights[i]
    chosen = sorted(proposals, key=lambda p: (-proposals[p], p))[: rule.candidates]
    scored = []
    for number in chosen:
        counted: list[int] = []
        covers: list[float] = []
        positions: list[int] = []
        taken: set[int] = set()
        tokens: set[int] = set()
        for i in order:
            if rule.most is not None and len(counted) == rule.most:
                break
            free = [
                start
                for start in places[i].get(number, [])
                if rule.overlap or not taken & set(range(start, start + len(keys[i])))
            ]
            if free:
                own = set(keys[i]) - markers
                new = len(own - tokens) / len(own) if own else 1.0
                counted.append(i)
                covers.append(1 - rule.coverage + rule.coverage * new)
                positions.append(free[0])
                taken |= set(range(free[0], free[0] + len(keys[i])))
                tokens |= own
        total = sum(weights[i] * c for i, c in zip(counted, covers, strict=True))
        scored.append(Found(number, total, counted, covers, positions))
    return sorted(scored, key=lambda f: (-f.score, f.passage))[:k]
