"""Contents: a digest of a file or a folder that a config names, such as a checkpoint."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from functools import cache
from pathlib import Path

from ltrgr.disk import write_atomically
from ltrgr.index.verified import cache_folder, state_name
from ltrgr.json_file import checksum

SMALL = 2**20
"""A file of at most this many bytes is read every time."""

DIGITS = 32


def contents_of(path: Path) -> str:
    """A digest of a file, or of the names and contents of a folder's files; hidden ones are left
    out. Where it lies is no part of it.

    A large file is read once in each state (inode, size, times); this machine's cache keeps that.

    Raises:
        UnreadableFileError: the system does not let us read one of them.
    """
    digest = hashlib.sha256()
    for name, file in _files(path):
        digest.update(f"{name}\0{_checksum(file)}\n".encode())
    return digest.hexdigest()[:DIGITS]


def _files(path: Path) -> list[tuple[str, Path]]:
    if path.is_file():
        return [("", path)]
    found = ((file.relative_to(path), file) for file in path.rglob("*") if file.is_file())
    return sorted(
        (name.as_posix(), file)
        for name, file in found
        if not any(part.startswith(".") for part in name.parts)
    )


def _checksum(file: Path) -> str:
    state = file.stat()
    if state.st_size <= SMALL:
        return checksum(file, cure="")
    return _remembered(str(file), state_name([state]))


@cache
def _remembered(file: str, state: str) -> str:
    kept = cache_folder("checksums") / state
    with suppress(OSError, ValueError):
        found = kept.read_text(encoding="ascii")
        if len(found) == DIGITS and int(found, 16) >= 0:
            return found
    found = checksum(Path(file), cure="")
    with suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(kept, found)
    return found
