"""Views: the kinds of identifier that a family of generative retrievers generates (method, 1)."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltrgr.corpus.records import Passage

PASSAGE_END = "</passage>"

Docids = NDArray[np.int32] | Sequence[str]
"""one identifier a passage: codes [P, L] of symbol numbers, -1 after the last; or P strings"""


def titles(passage: Passage) -> Sequence[str]:
    """The passage's title, if it has one."""
    return (passage.title,) if passage.title.strip() else ()


def texts(passage: Passage) -> Sequence[str]:
    """The passage's text, if it has one."""
    return (passage.text,) if passage.text.strip() else ()


def titled_texts(passage: Passage) -> Sequence[str]:
    """Title and text as one: what a docid's model reads of a passage."""
    whole = f"{passage.title}. {passage.text}" if passage.title.strip() else passage.text
    return (whole,) if whole.strip() else ()


def pseudo_queries(passage: Passage) -> Sequence[str]:
    """Every pseudo-query of the passage."""
    return tuple(query for query in passage.pseudo_queries if query.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One kind of identifier.

    A view with markers is generated whole, from its begin marker to its end marker; a view
    without them yields free substrings of at most ``steps`` tokens.
    """

    source: Callable[[Passage], Sequence[str]] | None = None
    """the strings of this kind that a passage carries"""
    docids: Callable[[Sequence[Passage]], Docids] | None = None
    """instead of ``source``: one identifier for every passage, given with the whole corpus in view;
    a function, or a ``partial`` of one with plain keywords"""
    symbols: int = 0
    """alphabet of the docids' codes, as tokens ``<id-0>``, ``<id-1>``, ...; 0: they are strings"""
    searched: bool = True
    """False: the strings only stand in the passage, for stage 1 to read (with ``draws`` 0)"""
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
        if (self.source is None) == (self.docids is None):
            raise ValueError(
                f"a view has a source or docids, found source={self.source} docids={self.docids}; "
                "set one of them in its identifiers config"
            )
        if self.docids is not None and self.begin is None:
            raise ValueError("docids stand between markers; set begin and end of their view")
        if self.symbols and self.docids is None:
            raise ValueError(f"symbols={self.symbols} belong to docids; this view has a source")
        if not self.searched and self.draws:
            raise ValueError(
                f"a view that is not searched needs no training, found draws={self.draws:g}; "
                "set draws=0"
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

        if not any(view.searched for view in self.views.values()):
            raise ValueError(f"none of the views {list(self.views)} is searched; leave one so")

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

    @property
    def symbols(self) -> list[str]:
        """The tokens that docids are made of; views share them. No markers: decoding may cross."""
        return [f"<id-{i}>" for i in range(max(view.symbols for view in self.views.values()))]

    def describe(self) -> dict[str, dict[str, Any]]:
        """The family as plain data; ``from_description`` reads it back.

        What only some views have (``OPTIONAL``) is written where it is set.
        """
        return {
            name: {
                field.name: _written(getattr(view, field.name))
                for field in fields(View)
                if field.name not in OPTIONAL or getattr(view, field.name) != field.default
            }
            for name, view in self.views.items()
        }

    @classmethod
    def from_description(cls, description: Mapping[str, Mapping[str, Any]]) -> Family:
        """The family that ``describe`` wrote down."""
        return cls(
            {
                name: View(**{key: _read(key, value) for key, value in view.items()})
                for name, view in description.items()
            }
        )


OPTIONAL = ("source", "docids", "symbols", "searched")
CALLED = ("source", "docids")


def _written(value: Any) -> Any:
    """A function by its name, a partial by its name and keywords, anything else as it is."""
    if isinstance(value, partial):
        if value.args:
            raise ValueError(f"{value} has positional arguments; give it keywords only")
        return {"call": _written(value.func), **value.keywords}
    return f"{value.__module__}:{value.__qualname__}" if callable(value) else value


def _read(key: str, value: Any) -> Any:
    """What ``_written`` wrote."""
    if key not in CALLED:
        return value
    if isinstance(value, Mapping):
        keywords = {name: item for name, item in value.items() if name != "call"}
        return partial(pkgutil.resolve_name(value["call"]), **keywords)
    return pkgutil.resolve_name(value)
