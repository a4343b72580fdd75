"""Identifiers marked in the passage they found."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ltrgr.report.page.markup import Safe, el, join, text

Span = tuple[int, int, int]
"""start, end, number of the identifier"""

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


def highlighted(passage: str, matches: Sequence[Mapping[str, Any]], views: Sequence[str]) -> Safe:
    """The passage with its identifiers in their views' colours, the heavier the stronger."""
    parts: list[Safe] = []
    end = 0
    top = max((float(by["weight"]) for by in matches), default=0.0) or 1.0
    for start, stop, number in spans(passage, [by["text"] for by in matches]):
        by = matches[number]
        parts.append(text(passage[end:start]))
        parts.append(
            el(
                "mark",
                passage[start:stop],
                cls=colour(by["view"], views),
                style=f"--w:{max(0.0, float(by['weight']) / top):.2f}",
                title=f"{by['view']}: weight {by['weight']:.1f}, seen {by['count']} times",
            )
        )
        end = stop
    return join([*parts, text(passage[end:])])


def colour(view: str, views: Sequence[str]) -> str:
    """The style sheet's class of a view."""
    return f"v{views.index(view) % 6}" if view in views else "v5"
