"""An index as a directory: one .npy file per array, and ``index.json`` with their checksums."""

from __future__ import annotations

import json
import logging
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ltrgr.errors import IndexFormatError
from ltrgr.index import verified
from ltrgr.index.arrays import IndexArrays
from ltrgr.index.trie_arrays import TrieArrays
from ltrgr.json_file import UnreadableFileError, file_error

FORMAT = "ltrgr-index"
VERSION = 3
"""Of the files of every kind of index. Version 2: CRC-32 instead of sha256. Version 3: lists of
passages for rare tokens."""
HEADER = "index.json"
STORED = tuple(name for name in IndexArrays._fields if name != "wide_threshold")
CURE = "build it again with `ltrgr index` and the same settings (root=..., corpus=..., ...)"
ATTEMPTS = 20
"""How many times in a row an index may be replaced while it is being opened."""


class Layout(NamedTuple):
    """The files of one kind of index, or of the token stream."""

    format: str
    """the name of the kind in the header"""
    arrays: tuple[str, ...]
    """each in a file of its own, ``<name>.npy``"""
    numbers: tuple[str, ...]
    """whole numbers in the header"""


FM = Layout(FORMAT, STORED, ("tokens", "passages", "vocabulary_size", "wide_threshold"))
TRIE = Layout("ltrgr-trie", TrieArrays._fields, ("tokens", "passages", "vocabulary_size"))
STREAM = Layout("ltrgr-stream", ("tokens", "offsets"), ("vocabulary_size",))

log = logging.getLogger("ltrgr")

CHUNK = 1 << 22
"""Bytes read or written at once; small enough to be in cache when the checksum reads them."""


def read_index(*, directory: Path, verify: bool | None) -> IndexArrays:
    """Memory-map the arrays of the FM-index in ``directory``; see `read_arrays`.

    Raises:
        IndexFormatError: the index is missing, foreign, of another version, or damaged.
    """
    mapped, header = read_arrays(directory=directory, layout=FM, verify=verify)
    arrays = IndexArrays(**mapped, wide_threshold=header["wide_threshold"])
    found = (len(arrays.text), len(arrays.passage_offsets) - 1, len(arrays.first) - 2)
    expected = (header["tokens"], header["passages"], header["vocabulary_size"])
    if found != expected:
        raise IndexFormatError(
            f"{directory} holds {found} tokens, passages and token ids, its {HEADER} says "
            f"{expected}: {CURE}"
        )
    return arrays


def read_arrays(
    *, directory: Path, layout: Layout, verify: bool | None
) -> tuple[dict[str, NDArray[Any]], dict[str, int]]:
    """Memory-map the arrays of an index of some kind, read-only, and read its numbers.

    Format, version, file sizes, shapes and types are always checked (a few milliseconds at any
    size). The checksums, which read every byte, are checked if ``verify`` is true; if it is None,
    only for files that this machine has not verified before.

    All files come from one index, even while another process replaces it.

    Raises:
        IndexFormatError: the index is missing, foreign, of another version, or damaged.
        UnreadableFileError: the system does not let us read it.
    """
    for _ in range(ATTEMPTS):
        with _held(directory) as folder:
            try:
                return _read(directory, folder, layout, verify=verify)
            except IndexFormatError:
                if not _was_replaced(directory, folder):
                    raise
    raise IndexFormatError(
        f"{directory} was replaced {ATTEMPTS} times while it was being opened: expected one build "
        "at a time; stop the others and try again"
    )


def _read(
    directory: Path, folder: int, layout: Layout, *, verify: bool | None
) -> tuple[dict[str, NDArray[Any]], dict[str, int]]:
    header = _read_header(directory, folder, layout)
    mapped, states = {}, []
    for name in layout.arrays:
        path, entry = directory / f"{name}.npy", header["files"][name]
        with _open_file(path, folder) as file:
            states.append(os.fstat(file.fileno()))
            _check_size(path, states[-1].st_size, entry)
            mapped[name] = _map(path, file, entry)
    if verify or (verify is None and not verified.is_verified(states)):
        size = sum(state.st_size for state in states)
        _verify(directory, folder, {name: header["files"][name] for name in layout.arrays}, size)
        verified.remember(states)
    return mapped, {name: int(header[name]) for name in layout.numbers}


def _verify(directory: Path, folder: int, files: dict[str, Any], size: int) -> None:
    if size > 100 * verified.ALWAYS:
        log.info("reading %s once on this machine (%.1f GB), to be sure", directory, size / 1e9)
    for name, entry in files.items():
        path = directory / f"{name}.npy"
        with _open_file(path, folder) as file:
            if _checksum(file) != entry["crc32"]:
                raise IndexFormatError(
                    f"{path} does not match its checksum (damaged on disk): {CURE}"
                )


@contextmanager
def _held(directory: Path) -> Iterator[int]:
    """Yield a descriptor of ``directory``; it refers to the same directory after a rename."""
    try:
        folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        refused = file_error(directory, error, cure=CURE)
        if isinstance(refused, UnreadableFileError):
            raise refused from error
        raise _no_index(directory, error.strerror) from error
    try:
        yield folder
    finally:
        os.close(folder)


def _was_replaced(directory: Path, folder: int) -> bool:
    try:
        return not os.path.samestat(directory.stat(), os.fstat(folder))
    except FileNotFoundError:
        return False


def _open_file(path: Path, folder: int) -> BufferedReader:
    """Open ``path.name`` in the directory descriptor ``folder``; ``path`` is for error messages.

    Raises:
        IndexFormatError: it is missing. UnreadableFileError: the system refuses to open it.
    """
    try:
        return open(path.name, "rb", opener=lambda name, flags: os.open(name, flags, dir_fd=folder))
    except OSError as error:
        refused = file_error(path, error, cure=CURE)
        if isinstance(refused, UnreadableFileError):
            raise refused from error
        raise IndexFormatError(str(refused)) from error


def _read_header(directory: Path, folder: int, layout: Layout) -> dict[str, Any]:
    path = directory / HEADER
    try:
        with _open_file(path, folder) as file:
            content = file.read()
    except IndexFormatError as error:
        raise _no_index(directory, f"{HEADER} is missing") from error
    except OSError as error:
        raise file_error(path, error, cure=CURE) from error
    try:
        header = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise IndexFormatError(f"{path} is not readable JSON ({error}): {CURE}") from error
    if not isinstance(header, dict) or header.get("format") != layout.format:
        raise IndexFormatError(f"{path} does not describe an {layout.format}: {CURE}")
    if header.get("version") != VERSION:
        raise IndexFormatError(
            f"{path} has format version {header.get('version')}, this ltrgr reads {VERSION}: {CURE}"
        )
    if not _is_complete(header, layout):
        raise IndexFormatError(f"{path} lacks entries that every index has: {CURE}")
    return header


def _is_complete(header: dict[str, Any], layout: Layout) -> bool:
    files = header.get("files")
    return (
        all(isinstance(header.get(name), int) for name in layout.numbers)
        and isinstance(files, dict)
        and all(isinstance(files.get(name), dict) for name in layout.arrays)
        and all({"bytes", "dtype", "length", "crc32"} <= set(files[name]) for name in layout.arrays)
    )


def _no_index(directory: Path, reason: str | None) -> IndexFormatError:
    return IndexFormatError(f"no index at {directory} ({reason}): {CURE}")


def _check_size(path: Path, size: int, entry: dict[str, Any]) -> None:
    if size != entry["bytes"]:
        raise IndexFormatError(f"{path} has {size} bytes, expected {entry['bytes']}: {CURE}")


def _map(path: Path, file: BufferedReader, entry: dict[str, Any]) -> NDArray[Any]:
    try:
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError("expected version 1.0 of the format")
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        mapped = np.memmap(file, dtype, mode="r", offset=file.tell(), shape=shape)
    except Exception as error:  # numpy and ast raise many types on a damaged header
        raise IndexFormatError(f"{path} is no numpy file ({error}): {CURE}") from error
    # as a plain array: numba compiles again for every subclass
    array = np.asarray(mapped)
    if (array.dtype.str, array.shape) != (entry["dtype"], (entry["length"],)):
        raise IndexFormatError(
            f"{path} holds {array.dtype.str}{list(array.shape)}, expected {entry['dtype']}"
            f"[{entry['length']}]: {CURE}"
        )
    return array


def _checksum(file: BufferedReader) -> int:
    """CRC-32 of the file, against damage, not malice. It misses one of 2^32 random changes, and no
    flip of up to three bits or run of up to 32 bits. It is as fast as the disk (6 GB/s; sha256:
    1.8 GB/s)."""
    checksum = 0
    while part := file.read(CHUNK):
        checksum = zlib.crc32(part, checksum)
    return checksum
