"""Source of the user's own functions and classes, as part of what identifies an artefact.

Seen are the text of a function or class, of the classes that it derives from, and the plain values
and functions that a function closes over. Not seen are functions that it calls, values of its
module, and libraries: what is installed counts as a library, whoever wrote it.
"""

from __future__ import annotations

import hashlib
import inspect
import sysconfig
import textwrap
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from ltrgr.moved import recorded_name

DIGITS = 16
"""hexadecimal digits of a digest"""

INSTALLED = {"site-packages", "dist-packages"}


def source_of(value: Any) -> str:
    """A digest of the source of a function, method or class of the user's; empty for ltrgr's own,
    whose name says enough, and for libraries."""
    parts = list(_parts(value))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:DIGITS] if parts else ""


def _parts(value: Any) -> Iterator[str]:
    while isinstance(value, partial):
        value = value.func
    below = inspect.unwrap(getattr(value, "py_func", value))  # numba's name for what it compiled
    if isinstance(below, type):
        for kind in below.__mro__:
            if _is_users(kind):
                yield _text(kind)
        return
    function = getattr(below, "__func__", below)
    if not _is_users(function):
        return
    yield _text(function)
    if isinstance(function, FunctionType):
        for name, held in sorted(inspect.getclosurevars(function).nonlocals.items()):
            yield f"{name}={_held(held)}"


def _is_users(value: Any) -> bool:
    if str(value.__module__).partition(".")[0] == "ltrgr":
        return False
    try:
        path = Path(inspect.getfile(value))
    except (TypeError, OSError):  # built in; or a class of a session, which has no file
        return value.__module__ == "__main__"
    library = Path(sysconfig.get_paths()["stdlib"])
    installed = INSTALLED & set(path.parts) or str(path).startswith("<frozen")
    return not installed and not path.is_relative_to(library)


def _text(value: Any) -> str:
    try:
        return textwrap.dedent(inspect.getsource(value))
    except (OSError, TypeError):  # typed into a session: its code, which Python's version decides
        code = getattr(value, "__code__", None)
        return repr(value.__qualname__ if code is None else _code(code))


def _code(code: CodeType) -> list[object]:
    """A code object without its place in memory and on the disk."""
    held = [_code(one) if isinstance(one, CodeType) else repr(one) for one in code.co_consts]
    return [code.co_code.hex(), code.co_names, code.co_varnames, held]


def _held(value: Any) -> str:
    """A value that a function closes over."""
    if isinstance(value, partial):
        return f"{_held(value.func)}{_held(value.args)}{_held(value.keywords)}"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_held, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{name!r}:{_held(item)}' for name, item in value.items())}}}"
    if value is None or isinstance(value, bool | int | float | str | bytes | Path):
        return repr(value)
    if isinstance(value, FunctionType | type):
        return f"{recorded_name(value)}{_text(value) if _is_users(value) else ''}"
    return type(value).__qualname__
