"""Plain data that says what an object is: the inputs of a fingerprint."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import Field, fields, is_dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ltrgr.json_file import state_of
from ltrgr.moved import recorded_name
from ltrgr.pipeline.contents import contents_of
from ltrgr.pipeline.source import source_of

NOT_IDENTITY = "not_identity"
"""dataclass field metadata: this setting changes where or how fast, never what is computed"""

ONLY_WITH = "only_with"
"""dataclass field metadata: the field that switches this one on; written only where that is set, so
that what was made before the setting existed keeps its name"""

UNLESS_DEFAULT = "unless_default"
"""dataclass field metadata: written only where the value is not the default, for the same reason"""


def describe(value: Any) -> Any:
    """``value`` as dict, list and scalars; dataclasses and (partial) functions by name.

    Functions and classes of the user's bring a digest of their source along; a checkpoint, and any
    absolute path that a function is given, bring one of the files that lie there.

    >>> from functools import partial
    >>> describe(partial(int, base=2))
    {'call': 'builtins:int', 'base': 2}
    """
    if isinstance(value, partial):
        positional = {"arguments": describe(value.args)} if value.args else {}
        keywords = {name: describe(item) for name, item in value.keywords.items()}
        return {**_called(value.func), **positional, **keywords, **_files(value.keywords)}
    if is_dataclass(value) and not isinstance(value, type):
        parts = {
            field.name: describe(getattr(value, field.name))
            for field in fields(value)
            if not field.metadata.get(NOT_IDENTITY) and _is_written(value, field)
        }
        return {"is": recorded_name(type(value)), **_source(type(value)), **parts}
    if isinstance(value, Mapping):
        return {str(name): describe(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [describe(item) for item in value]
    return _called(value) if callable(value) else value


def _called(value: Any) -> dict[str, Any]:
    if hasattr(value, "__qualname__"):
        return {"call": recorded_name(value), **_source(value)}
    kind = type(value)  # an object with ``__call__``: what it holds decides what it does
    return {
        "call": recorded_name(kind),
        **_source(kind),
        "object": describe(getattr(value, "__dict__", {})),
    }


def _source(value: Any) -> dict[str, str]:
    source = source_of(value)
    return {"source_digest": source} if source else {}


def _files(keywords: Mapping[str, Any]) -> dict[str, str]:
    """``<name>_files`` for each keyword that names something on the disk."""
    paths = {
        name: Path(item)
        for name, item in keywords.items()
        if isinstance(item, str | Path) and (name == "checkpoint" or Path(item).is_absolute())
    }
    return {f"{name}_files": contents_of(path) for name, path in paths.items() if _is_there(path)}


def _is_there(path: Path) -> bool:
    # lexists says no to a text that cannot be a path; state_of says where it may not look
    return os.path.lexists(path) and state_of(path) is not None


def _is_written(settings: Any, field: Field[Any]) -> bool:
    if field.metadata.get(UNLESS_DEFAULT):
        return bool(getattr(settings, field.name) != field.default)
    switch = field.metadata.get(ONLY_WITH)
    return switch is None or bool(getattr(settings, switch))
