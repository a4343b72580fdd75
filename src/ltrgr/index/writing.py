"""Writing an index to a hidden sibling during the build, then renaming it over the old one."""

from __future__ import annotations

import io
import json
import os
import shutil
import zlib
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltrgr.errors import IndexFormatError
from ltrgr.index import verified
from ltrgr.index.replace import put_in_place, remove_leftovers, sibling
from ltrgr.index.storage import CHUNK, FM, HEADER, VERSION, Layout


class IndexWriter:
    """Writes arrays to a hidden sibling of ``directory``; `finish` renames it to ``directory``.

    A thread of its own writes each array and computes its checksum while the caller computes the
    next array. Before the rename ``directory`` is unchanged, also after a kill; the next writer on
    this machine removes the sibling of a killed one. Leaving the ``with`` block before `finish`
    removes the sibling.

    Raises:
        IndexFormatError: ``directory`` exists and holds something other than an index.
    """

    def __init__(self, directory: Path, layout: Layout = FM) -> None:
        if directory.exists() and not _is_replaceable(directory):
            raise IndexFormatError(
                f"{directory} exists and holds no {HEADER}: expected a new directory, an empty one "
                "or an index; it is left as it is. Give `ltrgr index` another directory"
            )
        directory.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(directory)
        self._directory, self._layout = directory, layout
        self._partial = sibling(directory, "partial")
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
        """Queue ``array`` to be written as ``name`` and return; it must not change any more.

        Raises:
            OSError: an earlier array could not be written (the disk is full).
        """
        for entry in self._entries.values():
            if entry.done():
                entry.result()
        self._entries[name] = self._thread.submit(_write, self._file(name), array)

    def finish(self, **numbers: int) -> None:
        """Wait for the files, write the header with their checksums and ``numbers``, and rename.

        Raises:
            OSError: a file could not be written.
        """
        files = {name: self._entries[name].result() for name in self._layout.arrays}
        header = {"format": self._layout.format, "version": VERSION, **numbers, "files": files}
        # the header comes last, so a directory with a header has all files
        (self._partial / HEADER).write_text(json.dumps(header, indent=2) + "\n", encoding="utf-8")
        verified.remember([path.stat() for path in map(self._file, self._layout.arrays)])
        put_in_place(self._partial, self._directory)

    def _file(self, name: str) -> Path:
        return self._partial / f"{name}.npy"


def _write(path: Path, array: NDArray[Any]) -> dict[str, Any]:
    """Write a .npy file; return its entry of the header."""
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, np.lib.format.header_data_from_array_1_0(array))
    content = np.ascontiguousarray(array).view(np.uint8).data
    checksum = zlib.crc32(head.getbuffer())
    with path.open("wb") as file:
        file.write(head.getbuffer())
        for at in range(0, len(content), CHUNK):
            checksum = zlib.crc32(content[at : at + CHUNK], checksum)
            file.write(content[at : at + CHUNK])
        file.flush()
        if array.nbytes > verified.ALWAYS:  # smaller files are verified at every opening
            os.fsync(file.fileno())
    return {
        "bytes": head.tell() + len(content),
        "dtype": array.dtype.str,
        "length": len(array),
        "crc32": checksum,
    }


def _is_replaceable(directory: Path) -> bool:
    if not directory.is_dir():
        return False
    return (directory / HEADER).is_file() or not any(directory.iterdir())
