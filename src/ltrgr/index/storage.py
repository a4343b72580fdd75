"""An index as a directory: one .npy file per array and an ``index.json`` that vouches for them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltrgr.index.arrays import IndexArrays
from ltrgr.index.errors import IndexFormatError

FORMAT = "ltrgr-index"
VERSION = 1
HEADER = "index.json"
STORED = tuple(name for name in IndexArrays._fields if name != "wide_threshold")
MEND = "build it again with `ltrgr index`"


def write_index(*, arrays: IndexArrays, directory: Path) -> None:
    """Write ``arrays`` to ``directory``, which holds the old index or the new one, never a part.

    Everything goes to a sibling directory first, which is then renamed. What earlier, killed
    builds of the same directory left behind on this machine is removed.

    Raises:
        IndexFormatError: ``directory`` exists and holds something that is no index.
    """
    if directory.exists() and not _is_replaceable(directory):
        raise IndexFormatError(
            f"{directory} exists and holds no {HEADER}: expected a new directory, an empty one or "
            "an index; it is left as it is. Give `ltrgr index` another directory"
        )
    directory.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(directory)
    partial = _sibling(directory, "partial")
    partial.mkdir()
    try:
        _write_files(arrays, partial)
        _swap(partial, directory)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def read_index(*, directory: Path, verify: bool) -> IndexArrays:
    """Memory-map the arrays of the index in ``directory``, read-only.

    Format, version, file sizes, shapes and types are always checked (a few milliseconds, at any
    size); the checksums, which read every byte, only if ``verify``.

    Raises:
        IndexFormatError: the index is missing, foreign, of another version, or damaged.
    """
    header = _read_header(directory)
    for name in STORED:
        _check_file(directory / f"{name}.npy", header["files"][name], verify=verify)
    arrays = IndexArrays(
        **{name: _map(directory / f"{name}.npy", header["files"][name]) for name in STORED},
        wide_threshold=int(header["wide_threshold"]),
    )
    found = (len(arrays.text), len(arrays.passage_offsets) - 1, len(arrays.first) - 2)
    expected = (header["tokens"], header["passages"], header["vocabulary_size"])
    if found != expected:
        raise IndexFormatError(
            f"{directory} holds {found} tokens, passages and token ids, its {HEADER} says "
            f"{expected}: {MEND}"
        )
    return arrays


def _write_files(arrays: IndexArrays, directory: Path) -> None:
    files: dict[str, dict[str, Any]] = {}
    for name in STORED:
        path, array = directory / f"{name}.npy", getattr(arrays, name)
        np.save(path, array, allow_pickle=False)
        files[name] = {
            "bytes": path.stat().st_size,
            "dtype": array.dtype.str,
            "length": len(array),
            "sha256": _checksum(path),
        }
    header = {
        "format": FORMAT,
        "version": VERSION,
        "tokens": len(arrays.text),
        "passages": len(arrays.passage_offsets) - 1,
        "vocabulary_size": len(arrays.first) - 2,
        "wide_threshold": arrays.wide_threshold,
        "files": files,
    }
    # last, so that a directory with a header has all its files
    (directory / HEADER).write_text(json.dumps(header, indent=2) + "\n", encoding="utf-8")


def _read_header(directory: Path) -> dict[str, Any]:
    path = directory / HEADER
    if not path.is_file():
        raise IndexFormatError(f"no index at {directory} ({HEADER} is missing): {MEND}")
    try:
        header = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise IndexFormatError(f"{path} is not readable JSON ({error}): {MEND}") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise IndexFormatError(f"{path} does not describe an {FORMAT}: {MEND}")
    if header.get("version") != VERSION:
        raise IndexFormatError(
            f"{path} has format version {header.get('version')}, this ltrgr reads {VERSION}: {MEND}"
        )
    if not _is_complete(header):
        raise IndexFormatError(f"{path} lacks entries that every index has: {MEND}")
    return header


def _is_complete(header: dict[str, Any]) -> bool:
    numbers = ("tokens", "passages", "vocabulary_size", "wide_threshold")
    files = header.get("files")
    return (
        all(isinstance(header.get(name), int) for name in numbers)
        and isinstance(files, dict)
        and all({"bytes", "dtype", "length", "sha256"} <= set(files.get(n, ())) for n in STORED)
    )


def _check_file(path: Path, entry: dict[str, Any], *, verify: bool) -> None:
    if not path.is_file():
        raise IndexFormatError(f"{path} is missing: {MEND}")
    size = path.stat().st_size
    if size != entry["bytes"]:
        raise IndexFormatError(f"{path} has {size} bytes, expected {entry['bytes']}: {MEND}")
    if verify and _checksum(path) != entry["sha256"]:
        raise IndexFormatError(f"{path} does not match its checksum (damaged on disk): {MEND}")


def _map(path: Path, entry: dict[str, Any]) -> NDArray[Any]:
    try:
        # as a plain array: numba compiles anew for every subclass
        array = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except ValueError as error:
        raise IndexFormatError(f"{path} is no numpy file ({error}): {MEND}") from error
    if (array.dtype.str, array.shape) != (entry["dtype"], (entry["length"],)):
        raise IndexFormatError(
            f"{path} holds {array.dtype.str}{list(array.shape)}, expected {entry['dtype']}"
            f"[{entry['length']}]: {MEND}"
        )
    return array


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_replaceable(directory: Path) -> bool:
    if not directory.is_dir():
        return False
    return (directory / HEADER).is_file() or not any(directory.iterdir())


def _swap(partial: Path, directory: Path) -> None:
    """Readers that mapped the old files keep them: a mapped file outlives its name."""
    old = _sibling(directory, "old")
    if directory.exists():
        directory.rename(old)
    partial.rename(directory)
    shutil.rmtree(old, ignore_errors=True)


def _sibling(directory: Path, role: str) -> Path:
    return directory.parent / f".{directory.name}.{role}@{socket.gethostname()}@{os.getpid()}"


def _remove_leftovers(directory: Path) -> None:
    """Remove the siblings of processes of this machine that live no more."""
    for path in directory.parent.glob(f".{directory.name}.*@{socket.gethostname()}@*"):
        process = path.name.rpartition("@")[2]
        # our own number can only be left over too: containers hand out the same few
        if process.isdigit() and (int(process) == os.getpid() or not _is_alive(int(process))):
            shutil.rmtree(path, ignore_errors=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)  # signal 0 asks, it does not kill
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's, but there
    return True
