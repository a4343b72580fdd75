"""Plain data that says what an object is: the inputs of a fingerprint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from typing import Any

NOT_IDENTITY = "not_identity"
"""dataclass field metadata: this setting changes where or how fast, never what is computed"""


def describe(value: Any) -> Any:
    """``value`` as dict, list and scalars; dataclasses and (partial) functions by name.

    >>> from functools import partial
    >>> describe(partial(int, base=2))
    {'call': 'builtins:int', 'base': 2}
    """
    if isinstance(value, partial):
        positional = {"arguments": describe(value.args)} if value.args else {}
        keywords = {name: describe(item) for name, item in value.keywords.items()}
        return {"call": _name(value.func), **positional, **keywords}
    if is_dataclass(value) and not isinstance(value, type):
        parts = {
            field.name: describe(getattr(value, field.name))
            for field in fields(value)
            if not field.metadata.get(NOT_IDENTITY)
        }
        return {"is": _name(type(value)), **parts}
    if isinstance(value, Mapping):
        return {str(name): describe(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [describe(item) for item in value]
    if callable(value):
        return {"call": _name(value)}
    return value


def _name(value: Any) -> str:
    return f"{value.__module__}:{value.__qualname__}"
