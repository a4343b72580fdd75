"""Views: the kinds of identifier that a family of generative retrievers generates (method, 1)."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from ltrgr.corpus.records import Passage

PASSAGE_END = "</passage>"


def titles(passage: Passage) -> Sequence[str]:
    """The passage's title, if it has one."""
    return (passage.title,) if passage.title.strip() else ()


def texts(passage: Passage) -> Sequence[str]:
    """The passage's text, if it has one."""
    return (passage.text,) if passage.text.strip() else ()


def pseudo_queries(passage: Passage) -> Sequence[str]:
    """Every pseudo-query of the passage."""
    return tuple(query for query in passage.pseudo_queries if query.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One kind of identifier.

    A view with markers is generated whole, from its begin marker to its end marker; a view
    without them yields free substrings of at most ``steps`` tokens.
    """

    source: Callable[[Passage], Sequence[str]]
    """the strings of this kind that a passage carries"""
    prompt: str
    """marker token that asks for this view, appended to the question"""
    begin: str | None = None
    end: str | None = None
    steps: int
    """longest key that search decodes, in tokens after the begin marker"""
    draws: float = 1.0
    """share of this view among the training targets of stage 1"""

    def __post_init__(self) -> None:
        if (self.begin is None) != (self.end is None):
            raise ValueError(
                f"a view has both markers or none, found begin={self.begin!r} end={self.end!r}; "
                "set both in its identifiers config"
            )
        if self.steps < 1:
            raise ValueError(f"a view decodes at least one token, found steps={self.steps}")


@dataclass(frozen=True, slots=True)
class Family:
    """A family of generative retrievers: its views by name, in the order of serialisation."""

    views: dict[str, View]

    def __post_init__(self) -> None:
        free = [name for name, view in self.views.items() if view.begin is None]
        if not self.views or len(free) > 1:
            raise ValueError(
                "a family needs at least one view and at most one without markers, "
                f"found {list(self.views)} of which without markers {free}"
            )

    @property
    def names(self) -> list[str]:
        """View names; a key's ``view`` is a position in this list."""
        return list(self.views)

    @property
    def markers(self) -> list[str]:
        """Every special token the family needs, each once, in a fixed order."""
        tokens = [PASSAGE_END]
        for view in self.views.values():
            tokens += [t for t in (view.begin, view.end, view.prompt) if t is not None]
        return list(dict.fromkeys(tokens))

    def describe(self) -> dict[str, dict[str, Any]]:
        """The family as plain data; ``from_description`` reads it back."""
        return {
            name: {
                **{field.name: getattr(view, field.name) for field in fields(View)},
                "source": f"{view.source.__module__}:{view.source.__qualname__}",
            }
            for name, view in self.views.items()
        }

    @classmethod
    def from_description(cls, description: Mapping[str, Mapping[str, Any]]) -> Family:
        """The family that ``describe`` wrote down."""
        return cls(
            {
                name: View(**{**view, "source": pkgutil.resolve_name(view["source"])})
                for name, view in description.items()
            }
        )
