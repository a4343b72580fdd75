"""Writing an index: beside the old one, while it is being built, and then in its place."""

from __future__ import annotations

import ctypes
import io
import json
import os
import shutil
import socket
import zlib
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltrgr.index.errors import IndexFormatError
from ltrgr.index.storage import CHUNK, FORMAT, HEADER, STORED, VERSION


class IndexWriter:
    """Writes arrays to a hidden sibling of ``directory``, which `finish` puts in its place.

    A thread of its own writes each array, and sums it up on the way, while the caller computes the
    next one. Until `finish` has renamed the sibling, ``directory`` holds what it held before; a
    process killed at any moment leaves it so, and the next writer removes what it left on this
    machine. Leaving the ``with`` block before `finish` removes the sibling.

    Raises:
        IndexFormatError: ``directory`` exists and holds something that is no index.
    """

    def __init__(self, directory: Path) -> None:
        if directory.exists() and not _is_replaceable(directory):
            raise IndexFormatError(
                f"{directory} exists and holds no {HEADER}: expected a new directory, an empty one "
                "or an index; it is left as it is. Give `ltrgr index` another directory"
            )
        directory.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(directory)
        self._directory = directory
        self._partial = _sibling(directory, "partial")
        self._partial.mkdir()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="index-writer")
        self._entries: dict[str, Future[dict[str, Any]]] = {}

    def __enter__(self) -> IndexWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._thread.shutdown(wait=True, cancel_futures=True)
        shutil.rmtree(self._partial, ignore_errors=True)

    def add(self, name: str, array: NDArray[Any]) -> None:
        """Write ``array``, which nobody changes any more, as ``name``; return at once.

        Raises:
            OSError: an array added earlier could not be written (the disk is full).
        """
        for entry in self._entries.values():
            if entry.done():
                entry.result()
        self._entries[name] = self._thread.submit(_write, self._partial / f"{name}.npy", array)

    def finish(self, **numbers: int) -> None:
        """Wait for the files, vouch for them in the header, ``numbers`` included, and rename.

        Raises:
            OSError: a file could not be written.
        """
        files = {name: self._entries[name].result() for name in STORED}
        header = {"format": FORMAT, "version": VERSION, **numbers, "files": files}
        # last, so that a directory with a header has all its files
        (self._partial / HEADER).write_text(json.dumps(header, indent=2) + "\n", encoding="utf-8")
        _swap(self._partial, self._directory)


def remove_leftovers(directory: Path) -> None:
    """Remove the siblings of processes of this machine that live no more.

    Where directories cannot be exchanged, a kill between two renames leaves no ``directory`` and
    the old index beside it: that comes back.
    """
    for path in directory.parent.glob(f".{directory.name}.*@{socket.gethostname()}@*"):
        process = path.name.rpartition("@")[2]
        # our own number can only be left over too: containers hand out the same few
        if process.isdigit() and (int(process) == os.getpid() or not _is_alive(int(process))):
            if path.name.startswith(f".{directory.name}.old@") and not directory.exists():
                path.rename(directory)
            else:
                shutil.rmtree(path, ignore_errors=True)


def _write(path: Path, array: NDArray[Any]) -> dict[str, Any]:
    """Write a .npy file; return what the header says of it."""
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, np.lib.format.header_data_from_array_1_0(array))
    content = np.ascontiguousarray(array).view(np.uint8).data
    checksum = zlib.crc32(head.getbuffer())
    with path.open("wb") as file:
        file.write(head.getbuffer())
        for at in range(0, len(content), CHUNK):
            checksum = zlib.crc32(content[at : at + CHUNK], checksum)
            file.write(content[at : at + CHUNK])
    return {
        "bytes": head.tell() + len(content),
        "dtype": array.dtype.str,
        "length": len(array),
        "crc32": checksum,
    }


def _swap(partial: Path, directory: Path) -> None:
    """Readers that mapped the old files keep them: a mapped file outlives its name."""
    if not directory.exists():
        partial.rename(directory)
    elif not _exchange(partial, directory):
        old = _sibling(directory, "old")
        directory.rename(old)
        partial.rename(directory)
        shutil.rmtree(old, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two directories in one step, so that there is always one of each name.

    Linux's renameat2 with RENAME_EXCHANGE; False where kernel, library or file system has none.
    """
    renameat2 = getattr(ctypes.CDLL(None), "renameat2", None) if os.name == "posix" else None
    if renameat2 is None:
        return False
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    return bool(renameat2(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0)


def _is_replaceable(directory: Path) -> bool:
    if not directory.is_dir():
        return False
    return (directory / HEADER).is_file() or not any(directory.iterdir())


def _sibling(directory: Path, role: str) -> Path:
    return directory.parent / f".{directory.name}.{role}@{socket.gethostname()}@{os.getpid()}"


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)  # signal 0 asks, it does not kill
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's, but there
    return True
