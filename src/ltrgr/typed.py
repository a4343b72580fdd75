"""Settings that come from a file: plain data into a dataclass, each value of its own type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from ltrgr.errors import LtrgrError

T = TypeVar("T")


class StoredSettingError(LtrgrError):
    """A setting in a file is unknown, of another type, or out of its range."""


def stored_settings(kind: Callable[..., T], plain: Any, *, where: str) -> T:
    """The dataclass ``kind`` with the values of ``plain``.

    Args:
        where: file and section, for the message.

    Raises:
        StoredSettingError: names the setting.
    """
    if not isinstance(plain, Mapping):
        raise StoredSettingError(f"{where} is a {type(plain).__name__}; expected an object")
    types = get_type_hints(kind)
    for name, value in plain.items():
        if name not in types:
            raise StoredSettingError(
                f"{where}.{name} is no setting of this version of ltrgr; expected some of "
                f"{', '.join(types)}"
            )
        if not _fits(value, types[name]):
            raise StoredSettingError(f"{where}.{name}={value!r}: expected {_spelt(types[name])}")
    try:
        return kind(**plain)
    except (TypeError, ValueError) as error:
        raise StoredSettingError(f"{where}: {error}") from error


def _fits(value: Any, expected: Any) -> bool:
    origin = get_origin(expected)
    if origin in (Union, UnionType):
        return any(_fits(value, one) for one in get_args(expected))
    if origin is Mapping:
        of_keys, of_values = get_args(expected)
        return isinstance(value, Mapping) and all(
            _fits(k, of_keys) and _fits(v, of_values) for k, v in value.items()
        )
    if origin is Callable:
        return callable(value)
    if expected is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if expected is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, expected)


def _spelt(expected: Any) -> str:
    """``int or NoneType``"""
    parts = get_args(expected) if get_origin(expected) in (Union, UnionType) else (expected,)
    return " or ".join(getattr(part, "__name__", str(part)) for part in parts)
