"""Functions that a saved retriever names: found among ltrgr's own and those that the user gives.

A file must not choose what runs. So nothing is imported because a file names it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from functools import partial
from types import FunctionType
from typing import Any

from ltrgr.errors import LtrgrError

OURS = ("ltrgr.identifiers.views", "ltrgr.identifiers.docids", "ltrgr.identifiers.clusters")
"""Modules whose public functions a file may name: what is defined there, not what is imported."""

Function = Callable[..., Any]


class ForeignFunctionError(LtrgrError):
    """A file names a function that is neither ltrgr's nor given by the user."""


def name_of(function: Function) -> str:
    """``module:name``, as files hold it; that of the function below a ``partial``."""
    below = function.func if isinstance(function, partial) else function
    return f"{below.__module__}:{below.__qualname__}"


def function_of(name: object, *, given: Iterable[Function] = (), where: str) -> Function:
    """The function that a file calls ``name``.

    Args:
        given: functions that the user passed himself.
        where: the file, for the message.

    Raises:
        ForeignFunctionError: it is neither given nor a public function of ``OURS``.
    """
    for function in given:
        if name_of(function) == name:
            return function.func if isinstance(function, partial) else function
    module, _, attribute = str(name).partition(":")
    if module in OURS and attribute and not attribute.startswith("_"):
        found = getattr(importlib.import_module(module), attribute, None)
        if isinstance(found, FunctionType) and found.__module__ == module:
            return found
    raise ForeignFunctionError(
        f"{where} names the function {name!r}, which is not ltrgr's own; it was not imported, "
        "because a file must not choose what runs. If you know it, name it yourself: "
        f"`ltrgr search retriever=... functions=[{name}]`, or in Python "
        "`Retriever.from_pretrained(..., functions=[...])`"
    )
