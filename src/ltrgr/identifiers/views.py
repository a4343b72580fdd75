"""Views: the kinds of identifier of a generative retriever (docs/method.md, section 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltrgr.corpus.records import Passage
from ltrgr.identifiers.functions import Function, function_of, name_of
from ltrgr.typed import (
    CountOrZero,
    Length,
    NotNegative,
    StoredSettingError,
    Text,
    expect_fields,
    stored_settings,
)

PASSAGE_END = "</passage>"

Docids = NDArray[np.int32] | Sequence[str]
"""one identifier per passage: codes [P, L] of symbol numbers, -1 after the last; or P strings"""


def titles(passage: Passage) -> Sequence[str]:
    """The passage's title, if it has one."""
    return (passage.title,) if passage.title.strip() else ()


def texts(passage: Passage) -> Sequence[str]:
    """The passage's text, if it has one."""
    return (passage.text,) if passage.text.strip() else ()


def titled_texts(passage: Passage) -> Sequence[str]:
    """Title and text as one string; stage 1 of a docid family reads it."""
    whole = f"{passage.title}. {passage.text}" if passage.title.strip() else passage.text
    return (whole,) if whole.strip() else ()


def pseudo_queries(passage: Passage) -> Sequence[str]:
    """Every pseudo-query of the passage that is not blank."""
    return tuple(query for query in passage.pseudo_queries if query.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One kind of identifier.

    A view with markers is generated whole, from its begin marker to its end marker. A view
    without markers (a free view) yields substrings of at most ``max_new_tokens`` tokens.

    Raises:
        ValueError: the settings contradict each other; the message names them.
    """

    source: Callable[[Passage], Sequence[str]] | None = None
    """passage -> its strings of this kind"""
    docids: Callable[[Sequence[Passage]], Docids] | None = None
    """instead of ``source``: all passages -> one identifier for each; a function, or a ``partial``
    of one with keywords that are plain data"""
    symbols: CountOrZero = 0
    """size of the codes' alphabet, tokens ``<id-0>``, ``<id-1>``, ...; 0: the docids are strings"""
    searched: bool = True
    """False: the strings are in the stream for stage 1 to read, but no search generates them"""
    prompt: Text
    """marker token of the prompt, appended to the question"""
    begin: Text | None = None
    """marker before each field; None for a free view"""
    end: Text | None = None
    """marker after each field; None for a free view"""
    max_new_tokens: Length
    """longest key that search decodes: tokens after the begin marker, end marker included"""
    sampling_weight: NotNegative = 1.0
    """sampling weight of this view among the training targets of stage 1"""

    def __post_init__(self) -> None:
        expect_fields("view", self)
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
            raise ValueError("a view of docids needs markers; set begin and end of their view")
        if self.symbols and self.docids is None:
            raise ValueError(f"symbols={self.symbols} belong to docids; this view has a source")
        if not self.searched and self.sampling_weight:
            raise ValueError(
                "a view that is not searched needs no training, found "
                f"sampling_weight={self.sampling_weight:g}; set sampling_weight=0"
            )


@dataclass(frozen=True, slots=True)
class Family:
    """A family of generative retrievers: its views by name, in the order of serialisation.

    Raises:
        ValueError: no view, no searched view, or more than one view without markers.
    """

    views: dict[str, View]

    def __post_init__(self) -> None:
        free = [name for name, view in self.views.items() if view.begin is None]
        if not self.views or len(free) > 1:
            raise ValueError(
                "a family needs at least one view and at most one without markers, "
                f"found {list(self.views)} of which without markers {free}"
            )

        if not any(view.searched for view in self.views.values()):
            raise ValueError(
                f"none of the views {list(self.views)} is searched; set searched=true for one"
            )

    @property
    def names(self) -> list[str]:
        """View names; a key's ``view`` is a position in this list."""
        return list(self.views)

    @property
    def markers(self) -> list[str]:
        """The marker tokens of the family, each once: passage end, then view by view."""
        tokens = [PASSAGE_END]
        for view in self.views.values():
            tokens += [t for t in (view.begin, view.end, view.prompt) if t is not None]
        return list(dict.fromkeys(tokens))

    @property
    def symbols(self) -> list[str]:
        """The tokens of docid codes; all views share them. They are text, not markers."""
        return [f"<id-{i}>" for i in range(max(view.symbols for view in self.views.values()))]

    def describe(self) -> dict[str, dict[str, Any]]:
        """The family as plain data, for ``from_description``.

        Fields in ``OPTIONAL`` are left out where they have their default.
        """
        return {
            name: {
                field.name: _written(getattr(view, field.name))
                for field in fields(View)
                if field.name not in OPTIONAL or getattr(view, field.name) != field.default
            }
            for name, view in self.views.items()
        }

    @property
    def functions(self) -> list[Function]:
        """The functions that its views call."""
        called = [getattr(view, name) for view in self.views.values() for name in CALLED]
        return [function for function in called if function is not None]

    @classmethod
    def from_description(
        cls,
        description: Mapping[str, Any],
        *,
        functions: Iterable[Function] = (),
        where: str = "the description",
    ) -> Family:
        """The family of a description that ``describe`` returned.

        Args:
            functions: functions of the user's own that the description may name.
            where: the file that it comes from, for messages.

        Raises:
            StoredSettingError, ForeignFunctionError: it is not what ``describe`` returns.
        """
        views = {}
        for name, plain in description.items():
            place = f"{where}.{name}"
            found = dict(plain) if isinstance(plain, Mapping) else plain
            for key in CALLED if isinstance(found, dict) else ():
                if found.get(key) is not None:
                    found[key] = _read(found[key], functions=functions, where=place)
            views[name] = stored_settings(View, found, where=place)
        try:
            return cls(views)
        except ValueError as error:
            raise StoredSettingError(f"{where}: {error}") from error


OPTIONAL = ("source", "docids", "symbols", "searched")
CALLED = ("source", "docids")


def _written(value: Any) -> Any:
    """A function by its name, a partial by its name and keywords, anything else as it is."""
    if isinstance(value, partial):
        if value.args:
            raise ValueError(f"{value} has positional arguments; give it keywords only")
        return {"call": name_of(value), **value.keywords}
    return name_of(value) if callable(value) else value


def _read(value: Any, *, functions: Iterable[Function], where: str) -> Any:
    """The function that ``_written`` described."""
    if not isinstance(value, Mapping):
        return function_of(value, given=functions, where=where)
    keywords = {name: item for name, item in value.items() if name != "call"}
    return partial(function_of(value.get("call"), given=functions, where=where), **keywords)
