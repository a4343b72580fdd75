"""Plain data that says what an object is: the inputs of a fingerprint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from typing import Any

NOT_IDENTITY = "not_identity"
"""dataclass field metadata: this setting changes where or how fast, never what is computed"""

ONLY_WITH = "only_with"
"""dataclass field metadata: the field that switches this one on; written only where that is set, so
that what was made before the setting existed keeps its name"""


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
            if not field.metadata.get(NOT_IDENTITY) and _is_on(value, field.metadata.get(ONLY_WITH))
        }
        return {"is": _name(type(value)), **parts}
    if isinstance(value, Mapping):
        return {str(name): describe(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [describe(item) for item in value]
    if callable(value):
        return {"call": _name(value)}
    return value


def _is_on(settings: Any, switch: str | None) -> bool:
    return switch is None or bool(getattr(settings, switch))


def _name(value: Any) -> str:
    return f"{value.__module__}:{value.__qualname__}"
