"""Files of a run that are there but cannot be read: a full disk, a bad copy, an editor."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path

import numpy as np

from ltrgr.errors import LtrgrError
from ltrgr.finished import DONE, changed_files, read_done

ERRORS = (
    *(OSError, EOFError, RecursionError, csv.Error),
    *(ValueError, KeyError, TypeError, AttributeError),
)
"""what reading a damaged file may raise"""

ARRAYS = "*.npy"

NEEDED: Mapping[str, Collection[str]] = {
    "DONE.json": ("stage", "fingerprint", "inputs"),
    "per_question.json": ("query_ids", "values"),
    "scores.json": ("width", "one_key", "positive", "negative", "best_positive", "best_negative"),
    "examples.json": ("questions", "passages"),
}
"""what the page needs of a file; any other JSON file has to be an object"""


def damage(directory: Path) -> dict[str, str]:
    """Each file of a run that cannot be read, and what is wrong with it."""
    found = {}
    for pattern, check in CHECKS.items():
        for path in sorted(directory.glob(pattern)):
            try:
                check(path)
            except ERRORS as error:
                words = f"{type(error).__name__}: {error}".splitlines()[0]
                found[path.relative_to(directory).as_posix()] = words
    if DONE in found:
        return found
    try:
        done = read_done(directory, cure="")
    except LtrgrError as error:
        return found | {DONE: str(error).rstrip("; ")}
    names = [name for entry in done.get("files") or () if _is_read(name := str(entry["path"]))]
    return dict(changed_files(directory, done, among=names)) | found


def _is_read(name: str) -> bool:
    """Whether the page takes figures from a file; the arrays of mined lists are too large to read
    for their checksum."""
    return any(fnmatch(name, pattern) for pattern in CHECKS if pattern != ARRAYS) and (
        "/" not in name or name.startswith("curves/")
    )


def logged(path: Path) -> Iterator[tuple[str, float, float]]:
    """Every (name, step, value) of a ``metrics.csv``."""
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for name, value in row.items():
                if value and row.get("step") and name not in ("step", "epoch"):
                    yield name, float(row["step"]), float(value)


def _check_json(path: Path) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError(f"found a {type(content).__name__}, expected an object")
    if lacking := [key for key in NEEDED.get(path.name, ()) if key not in content]:
        raise ValueError(f"it lacks {', '.join(lacking)}")
    if path.name == "DONE.json" and not isinstance(content["inputs"], dict):
        raise ValueError(f"found inputs {content['inputs']!r}, expected an object")
    if path.name == "per_question.json":
        for metric, values in content["values"].items():
            if np.asarray(values, dtype=np.float64).shape != (len(content["query_ids"]),):
                raise ValueError(f"{metric} has not one value for each question")


CHECKS: Mapping[str, Callable[[Path], object]] = {
    "*.json": _check_json,
    "curves/*/metrics.csv": lambda path: list(logged(path)),
    ARRAYS: lambda path: np.load(path, mmap_mode="r"),
}
"""files of a run -> reads one and raises where it is damaged"""
