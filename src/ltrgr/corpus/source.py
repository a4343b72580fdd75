"""Text files, plain or gzipped; every error names its file and line."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ltrgr.errors import CorpusError

_BOM = "\ufeff"
_GZIP = b"\x1f\x8b"
"""how a gzip file begins; no text in UTF-8 does"""


@dataclass(frozen=True, slots=True)
class Source:
    """A file read into memory, unpacked."""

    path: Path
    content: bytes

    @property
    def digest(self) -> str:
        """sha256 of the unpacked content: the same for ``x.jsonl`` and ``x.jsonl.gz``."""
        return hashlib.sha256(self.content).hexdigest()

    def lines(self) -> Iterator[tuple[str, str]]:
        """(``file:line``, text) of every line that is not blank.

        Raises CorpusError for text that is not UTF-8.
        """
        for number, raw in enumerate(self.content.split(b"\n"), start=1):
            where = f"{self.path}:{number}"
            try:
                text = raw.decode("utf-8").rstrip("\r")
            except UnicodeDecodeError as error:
                raise CorpusError(
                    f"{where}: found byte 0x{raw[error.start]:02x} at column {error.start + 1}, "
                    f"expected UTF-8: convert the file with iconv -t utf-8"
                ) from None
            text = text.removeprefix(_BOM) if number == 1 else text
            if text.strip():
                yield where, text

    def records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """(``file:line``, JSON object) of every line that is not blank.

        Raises CorpusError for a line that is not one JSON object.
        """
        for where, text in self.lines():
            try:
                record = json.loads(text)
            except (ValueError, RecursionError) as error:
                raise CorpusError(
                    f"{where}: found malformed JSON ({error}), expected one object per line: "
                    f"correct or delete the line"
                ) from None
            if not isinstance(record, dict):
                raise CorpusError(
                    f"{where}: found a JSON {type(record).__name__}, expected an object"
                )
            yield where, record


def find_source(*, folder: Path, name: str) -> Path:
    """``folder/name`` or ``folder/name.gz``.

    Raises CorpusError if neither or both exist.
    """
    plain, packed = folder / name, folder / f"{name}.gz"
    if plain.is_file() and packed.is_file():
        raise CorpusError(f"found both {plain} and {packed}, expected one: remove the stale one")
    if not plain.is_file() and not packed.is_file():
        present = ", ".join(sorted(p.name for p in folder.iterdir())) if folder.is_dir() else ""
        found = f"{folder} with {present or 'nothing in it'}" if folder.is_dir() else "no folder"
        raise CorpusError(
            f"found {found}, expected {plain} or {packed.name}: "
            "a BEIR folder has corpus.jsonl, queries.jsonl and qrels/<split>.tsv (each may end in "
            ".gz); set corpus.path to such a folder"
        )
    return plain if plain.is_file() else packed


def read_source(path: Path) -> Source:
    """Read the file at ``path``; unpack it if it is gzipped, whatever its name.

    Raises CorpusError if it is unreadable, cut short or damaged.
    """
    try:
        content = path.read_bytes()
        packed = path.suffix == ".gz" or content.startswith(_GZIP)
        return Source(path, gzip.decompress(content) if packed else content)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise CorpusError(
            f"{path}: found a gzip file that is cut short or damaged ({error}), expected a whole "
            f"one: check it with gzip -t {path} and fetch it again"
        ) from None
    except OSError as error:
        raise CorpusError(
            f"{path}: found that it cannot be read ({error.strerror}), expected a readable file"
        ) from None
