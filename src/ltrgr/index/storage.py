"""An index as a directory: one .npy file per array and an ``index.json`` that vouches for them."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltrgr.index.arrays import IndexArrays
from ltrgr.index.errors import IndexFormatError

FORMAT = "ltrgr-index"
VERSION = 2
"""2: CRC-32 instead of sha256."""
HEADER = "index.json"
STORED = tuple(name for name in IndexArrays._fields if name != "wide_threshold")
MEND = "build it again with `ltrgr index`"

CHUNK = 1 << 22
"""Bytes that are read or written, and summed, at once: still in cache for the second of the two."""


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
        and all({"bytes", "dtype", "length", "crc32"} <= set(files.get(n, ())) for n in STORED)
    )


def _check_file(path: Path, entry: dict[str, Any], *, verify: bool) -> None:
    if not path.is_file():
        raise IndexFormatError(f"{path} is missing: {MEND}")
    size = path.stat().st_size
    if size != entry["bytes"]:
        raise IndexFormatError(f"{path} has {size} bytes, expected {entry['bytes']}: {MEND}")
    if verify and _checksum(path) != entry["crc32"]:
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


def _checksum(path: Path) -> int:
    """CRC-32, against damage and not malice: 1 of 2^32 random changes goes unseen, of flips of up
    to three bits and of runs of up to 32 none. It keeps up with the disk (6 GB/s; sha256 1.8)."""
    checksum = 0
    with path.open("rb") as file:
        while part := file.read(CHUNK):
            checksum = zlib.crc32(part, checksum)
    return checksum
