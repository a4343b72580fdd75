"""Finished folders: what ``DONE.json`` vouches for, and whether the folder is still like that."""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from ltrgr.errors import LtrgrError
from ltrgr.json_file import DamagedFileError, checksum, read_json_object, state_of

DONE = "DONE.json"
SEAL = "blake2b"
"""key of the checksum of all the rest of ``DONE.json``; versions before it wrote none"""


def sealed(done: Mapping[str, Any]) -> dict[str, Any]:
    """``done`` with its own checksum."""
    return {**done, SEAL: _digest(done)}


def is_changed(done: Mapping[str, Any]) -> bool:
    """Whether the checksum says that something else was written."""
    return SEAL in done and done[SEAL] != _digest(done)


def read_done(directory: Path, *, cure: str) -> dict[str, Any]:
    """What ``DONE.json`` says.

    Raises:
        MissingFileError, DamagedFileError, UnreadableFileError: as ``json_file.read_json`` does.
    """
    done = read_json_object(directory / DONE, cure=cure)
    if is_changed(done):
        raise DamagedFileError(f"{directory / DONE} has changed since it was written; {cure}")
    return done


def size_fault(directory: Path, files: object) -> str | None:
    """Why these entries of ``DONE.json`` do not fit the folder, by the files' sizes alone.

    Raises:
        UnreadableFileError: the system does not let us look.
    """
    if not isinstance(files, list):
        return "its DONE.json lists no files"
    for entry in files:
        if not isinstance(entry, dict) or not {"path", "size"} <= set(entry):
            return "its DONE.json lists a file without path and size"
        found = state_of(directory / str(entry["path"]))
        if found is None or not stat.S_ISREG(found.st_mode):
            return f"its file {entry['path']} is missing"
        if found.st_size != entry["size"]:
            return f"its file {entry['path']} has {found.st_size} bytes; expected {entry['size']}"
    return None


def changed_files(
    directory: Path, done: Mapping[str, Any], *, among: Collection[str] | None = None
) -> Iterator[tuple[str, str]]:
    """Each file that is not what was written, and why; reads every byte.

    Args:
        among: files, or folders that end in ``/``, to look at; None: all that ``done`` lists.
    """
    entries = done.get("files")
    for entry in entries if isinstance(entries, list) else []:
        name = str(entry.get("path", ""))
        folders = tuple(one for one in among or () if one.endswith("/"))
        if among is not None and name not in among and not name.startswith(folders):
            continue
        try:
            found = checksum(directory / name, cure="")
        except DamagedFileError:
            yield name, "it is no file"
        except LtrgrError as error:
            yield name, str(error).rstrip("; ")
        else:
            if found != entry.get(SEAL):
                yield name, f"it has blake2b {found}, expected {entry.get(SEAL)}"


def _digest(done: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in done.items() if key != SEAL}
    text = json.dumps(json.loads(json.dumps(rest)), sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
