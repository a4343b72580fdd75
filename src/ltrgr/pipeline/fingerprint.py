"""Fingerprints: the same inputs give the same name, on every machine and in every process."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import numpy as np

from ltrgr.errors import LtrgrError


class FingerprintError(LtrgrError):
    """A stage's inputs hold something that has no canonical form."""


def fingerprint(value: Any) -> str:
    """Return the sha256, as 64 hexadecimal digits, of ``canonical_json(value)``.

    >>> fingerprint({"a": 1, "b": 2.0}) == fingerprint({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def canonical_json(value: Any) -> str:
    """Return the one JSON text of ``value``: sorted keys, no spaces, floats by ``repr``.

    Tuples are lists, paths are strings, numpy scalars are numbers, and a float that is a whole
    number is that integer, so that ``margin=500`` and ``margin=500.0`` share their artefacts.

    Raises:
        FingerprintError: for any other type, with its dotted place.
    """
    return json.dumps(
        canonical(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=True
    )


def canonical(value: Any, place: str = "inputs") -> Any:
    """Return ``value`` made of dict, list, str, int, float, bool and None only."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return int(value) if math.isfinite(value) and value == int(value) else value
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, list | tuple):
        return [canonical(item, f"{place}[{i}]") for i, item in enumerate(value)]
    if isinstance(value, Mapping):
        return {_key(k, place): canonical(item, f"{place}.{k}") for k, item in value.items()}
    raise FingerprintError(
        f"{place} is a {type(value).__name__} ({value!r}); expected only dict, list, str, int, "
        "float, bool, None, paths and numpy scalars. Pass OmegaConf.to_container(cfg, "
        "resolve=True) and plain values to the stage."
    )


def difference(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[str]:
    """List, one line per dotted key, where ``a`` and ``b`` differ: ``key: value in a -> in b``.

    >>> difference({"loss": {"margin": 1}}, {"loss": {"margin": 2}, "seed": 0})
    ['loss.margin: 1 -> 2', 'seed: (absent) -> 0']
    """
    left, right = _leaves(canonical(a)), _leaves(canonical(b))
    return [
        f"{key}: {left.get(key, '(absent)')} -> {right.get(key, '(absent)')}"
        for key in sorted(left.keys() | right.keys())
        if left.get(key) != right.get(key)
    ]


def as_yaml(value: Any, indent: int = 0) -> str:
    """Return ``value`` as block YAML that any YAML 1.1 reader gives back unchanged."""
    pad = "  " * indent
    lines = []
    if isinstance(value, dict):
        for key, item in value.items():
            lines.append(f"{pad}{_scalar(key)}:{_yaml_item(item, indent)}")
    else:
        lines = [f"{pad}-{_yaml_item(item, indent)}" for item in value]
    return "\n".join(lines) + ("\n" if indent == 0 else "")


def _yaml_item(item: Any, indent: int) -> str:
    if isinstance(item, dict | list) and item:
        return "\n" + as_yaml(item, indent + 1)
    return f" {_scalar(item)}"


def _scalar(value: Any) -> str:
    if isinstance(value, float):
        if not math.isfinite(value):
            return ".nan" if math.isnan(value) else f"{'-' if value < 0 else ''}.inf"
        mantissa, e, exponent = repr(value).partition("e")
        # YAML 1.1 reads 1e-05 as text: the mantissa needs its point.
        return f"{mantissa if '.' in mantissa else mantissa + '.0'}{e}{exponent}"
    text = str(value)
    if isinstance(value, str) and _is_plain(text):
        return text
    return json.dumps(value)


def _is_plain(text: str) -> bool:
    words = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
    return text.isascii() and text.isidentifier() and text.lower() not in words


def _key(key: Any, place: str) -> str:
    if isinstance(key, str):
        return key
    raise FingerprintError(f"{place} has the key {key!r}; expected only text keys.")


def _leaves(value: Any, place: str = "") -> dict[str, str]:
    if isinstance(value, dict) and value:
        found: dict[str, str] = {}
        for key, item in value.items():
            found |= _leaves(item, f"{place}.{key}" if place else key)
        return found
    return {place: json.dumps(value, ensure_ascii=False)}
