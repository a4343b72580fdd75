"""The manifest of a sharded index: its shards, in order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ltrgr.disk import write_atomically
from ltrgr.errors import IndexFormatError
from ltrgr.index.storage import CURE, HEADER
from ltrgr.json_file import DamagedFileError, MissingFileError, read_bytes, read_json, state_of

MANIFEST = "shards.json"
FORMAT = "ltrgr-shards"
VERSION = 1
GO_ON = "run `ltrgr index` again: it goes on with the first missing shard"


def shard_directory(directory: Path, number: int) -> Path:
    """The directory of shard ``number`` of the index in ``directory``."""
    return directory / f"shard-{number:05d}"


def write_manifest(directory: Path, shards: Sequence[Path]) -> None:
    """Write the manifest of ``shards`` in one rename; the index can be opened from then on.

    An entry holds the checksum of the shard's header, and the header holds the checksums of the
    shard's files. A replaced shard is therefore detected by reading the headers alone.
    """
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "shards": [{"directory": shard.name, "header": _checksum(shard)} for shard in shards],
    }
    write_atomically(directory / MANIFEST, json.dumps(manifest, indent=2) + "\n")


def read_manifest(directory: Path) -> list[Path]:
    """The directories of the shards in order, each checked against the manifest.

    Raises:
        IndexFormatError: the manifest is damaged or of another program, a shard is missing, or a
            shard was replaced.
    """
    path = directory / MANIFEST
    try:
        manifest = read_json(path, cure=CURE)
    except (MissingFileError, DamagedFileError) as error:
        raise IndexFormatError(str(error)) from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise IndexFormatError(f"{path} does not describe {FORMAT}: {CURE}")
    if manifest.get("version") != VERSION:
        raise IndexFormatError(
            f"{path} has format version {manifest.get('version')}, this ltrgr reads {VERSION}: "
            f"{CURE}"
        )
    entries = manifest.get("shards")
    if not isinstance(entries, list) or not entries or not all(map(_is_entry, entries)):
        raise IndexFormatError(f"{path} lacks entries that every manifest has: {CURE}")
    for number, entry in enumerate(entries):
        _check_shard(shard_directory(directory, number), entry, of=len(entries))
    return [directory / entry["directory"] for entry in entries]


def _is_entry(entry: Any) -> bool:
    names = ("directory", "header")
    return isinstance(entry, dict) and all(isinstance(entry.get(name), str) for name in names)


def _check_shard(shard: Path, entry: dict[str, str], *, of: int) -> None:
    if entry["directory"] != shard.name:
        raise IndexFormatError(
            f"{shard.parent / MANIFEST} names {entry['directory']}, expected {shard.name}: {CURE}"
        )
    if state_of(shard / HEADER) is None:
        raise IndexFormatError(f"{shard} is missing, expected {of} shards: {GO_ON}")
    if _checksum(shard) != entry["header"]:
        raise IndexFormatError(
            f"{shard} is not the shard that {MANIFEST} was written for (from another build or "
            f"corpus, or damaged): {CURE}"
        )


def _checksum(shard: Path) -> str:
    return hashlib.sha256(read_bytes(shard / HEADER, cure=CURE)).hexdigest()
