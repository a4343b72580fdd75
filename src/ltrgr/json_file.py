"""Files that ltrgr wrote: to be missing, damaged or unreadable are three things."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from ltrgr.errors import LtrgrError

ABSENT = {errno.ENOENT, errno.ENOTDIR}
NO_FILE = {errno.EISDIR, errno.ELOOP}
"""something else lies where a file was expected"""


class MissingFileError(LtrgrError):
    """A file is not there."""


class DamagedFileError(LtrgrError):
    """A file is there, and what it holds is not what was written."""


class UnreadableFileError(LtrgrError):
    """A file is there, and the system does not let us read it: that says nothing of its content."""


def read_bytes(path: Path, *, cure: str) -> bytes:
    """The content of a file.

    Args:
        cure: what to do where the file is missing or damaged; the end of the message.

    Raises:
        MissingFileError, DamagedFileError, UnreadableFileError: see above.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise file_error(path, error, cure=cure) from error


def read_json(path: Path, *, cure: str) -> Any:
    """What a JSON file says; raises as ``read_bytes`` does."""
    content = read_bytes(path, cure=cure)
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        reason = str(error) or "nested too deeply"
        raise DamagedFileError(f"{path} is not readable JSON ({reason}); {cure}") from error


def read_json_object(path: Path, *, cure: str) -> dict[str, Any]:
    """The same for a file that holds one JSON object."""
    found = read_json(path, cure=cure)
    if not isinstance(found, dict):
        kind = type(found).__name__
        raise DamagedFileError(f"{path} is damaged: it holds a {kind}, expected an object; {cure}")
    return found


def checksum(path: Path, *, cure: str) -> str:
    """blake2b of a file, as ``DONE.json`` holds it: 32 hexadecimal digits."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    except OSError as error:
        raise file_error(path, error, cure=cure) from error


def state_of(path: Path) -> os.stat_result | None:
    """``path.stat()``, or None where nothing is there.

    ``Path.exists`` and ``is_file`` raise or say no where the system refuses to look, by version.

    Raises:
        UnreadableFileError: the system does not let us look.
    """
    try:
        return path.stat()
    except OSError as error:
        if error.errno in ABSENT | NO_FILE:
            return None
        raise file_error(path, error, cure="") from error


def file_error(path: Path, error: OSError, *, cure: str) -> LtrgrError:
    """What to raise where the system refused to read ``path``."""
    if error.errno in ABSENT:
        return MissingFileError(f"{path} is missing; {cure}")
    if error.errno in NO_FILE:
        return DamagedFileError(f"{path} is no file ({error.strerror}); {cure}")
    return UnreadableFileError(
        f"{path} is there and cannot be read ({error.strerror or error}); nothing was changed. "
        "Make it readable (its rights, its disk) and run the same command again"
    )
