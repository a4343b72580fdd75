"""Identifiers marked in the passage they found."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

Span = tuple[int, int, int]
"""start, end, number of the identifier"""


class Piece(NamedTuple):
    """A part of a passage, and the identifier that it is, if any."""

    text: str
    by: Mapping[str, Any] | None = None
    share: float = 0.0
    """its weight, 1 for the heaviest"""


SHORT = 4
"""identifiers of fewer characters are marked only where they are whole words"""


def spans(passage: str, identifiers: Sequence[str]) -> list[Span]:
    """Where each identifier occurs: heaviest first, and never over a heavier one's place.

    Case and the space around punctuation do not count: some tokenizers lose them. Identifiers
    that are not found (a pseudo-query's, say) have no span.

    >>> spans("a big dog, a big cat", ["big cat", "a big"])
    [(0, 5, 1), (13, 20, 0)]
    """
    taken: list[Span] = []
    for number, identifier in enumerate(identifiers):
        for pattern in _patterns(identifier):
            free = (
                match.span()
                for match in pattern.finditer(passage)
                if all(match.end() <= start or match.start() >= end for start, end, _ in taken)
            )
            if found := next(free, None):
                taken.append((*found, number))
                break
    return sorted(taken)


def _patterns(identifier: str) -> list[re.Pattern[str]]:
    """Whole words first; a longer identifier may also begin or end inside a word."""
    pieces = re.findall(r"\w+|[^\w\s]", identifier)
    if not any(piece[0].isalnum() for piece in pieces):
        return []
    words = r"\s*".join(map(re.escape, pieces))
    forms = [rf"(?<!\w){words}(?!\w)", rf"(?<!\w){words}", words]
    usable = forms if len(identifier) >= SHORT else forms[:1]
    return [re.compile(form, re.IGNORECASE) for form in usable]


def pieces(passage: str, matches: Sequence[Mapping[str, Any]]) -> list[Piece]:
    """The passage cut where identifiers begin and end; weights relative to the heaviest."""
    parts: list[Piece] = []
    end = 0
    top = max((float(by["weight"]) for by in matches), default=0.0) or 1.0
    for start, stop, number in spans(passage, [by["text"] for by in matches]):
        by = matches[number]
        share = max(0.0, float(by["weight"]) / top)
        parts += [Piece(passage[end:start]), Piece(passage[start:stop], by, share)]
        end = stop
    return [part for part in (*parts, Piece(passage[end:])) if part.text]
