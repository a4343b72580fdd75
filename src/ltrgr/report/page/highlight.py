"""Identifiers marked in the passage they found."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ltrgr.report.page.markup import Safe, el, join, text

Span = tuple[int, int, int]
"""start, end, number of the identifier"""


def spans(passage: str, identifiers: Sequence[str]) -> list[Span]:
    """Where each identifier occurs: heaviest first, and never over a heavier one's place.

    Case and the space around punctuation do not count: some tokenizers lose them. Identifiers
    that are not found (a pseudo-query's, say) have no span.

    >>> spans("a big dog, a big cat", ["big cat", "a big"])
    [(0, 5, 1), (13, 20, 0)]
    """
    taken: list[Span] = []
    for number, identifier in enumerate(identifiers):
        pieces = re.findall(r"\w+|[^\w\s]", identifier)
        if not pieces:
            continue
        pattern = re.compile(r"\s*".join(map(re.escape, pieces)), re.IGNORECASE)
        for match in pattern.finditer(passage):
            if all(match.end() <= start or match.start() >= end for start, end, _ in taken):
                taken.append((match.start(), match.end(), number))
                break
    return sorted(taken)


def highlighted(
    passage: str, found_by: Sequence[Mapping[str, Any]], views: Sequence[str]
) -> Safe:
    """The passage with its identifiers in their views' colours."""
    parts: list[Safe] = []
    end = 0
    for start, stop, number in spans(passage, [by["text"] for by in found_by]):
        by = found_by[number]
        parts.append(text(passage[end:start]))
        title = f"{by['view']}: weight {by['weight']:.1f}, seen {by['count']} times"
        colour = f"v{views.index(by['view']) % 6}" if by["view"] in views else "v5"
        parts.append(el("mark", passage[start:stop], cls=colour, title=title))
        end = stop
    return join([*parts, text(passage[end:])])
