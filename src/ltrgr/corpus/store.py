"""Passages on disk: one JSON line each, and a table of offsets to read them one at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ltrgr.corpus.records import Passage
from ltrgr.errors import CorpusError
from ltrgr.json_file import UnreadableFileError, file_error


class PassageStore:
    """The passages of an index by number; they stay on disk."""

    def __init__(self, directory: Path) -> None:
        """Memory-map both files.

        Raises CorpusError if one is missing, or if they do not belong together, and
        UnreadableFileError if the system does not let us read them.
        """
        self._directory = directory
        try:
            self._offsets = np.load(directory / "passages.npy", mmap_mode="r", allow_pickle=False)
            self._lines = np.memmap(directory / "passages.jsonl", dtype=np.uint8, mode="r")
        except Exception as error:  # numpy raises many types on a damaged header
            if isinstance(error, OSError):
                refused = file_error(Path(error.filename or directory), error, cure="")
                if isinstance(refused, UnreadableFileError):
                    raise refused from error
            raise self._damaged(f"cannot be read ({error})") from error
        found = (self._offsets.dtype, self._offsets.ndim)
        if found != (np.int64, 1) or len(self._offsets) == 0:
            raise self._damaged("have no table of offsets")
        if self._offsets[-1] != len(self._lines):
            raise self._damaged(
                f"have {len(self._lines)} bytes, {self._offsets[-1]} by their table of offsets"
            )

    @staticmethod
    def write(passages: Iterable[Passage], directory: Path) -> None:
        """Write ``passages.jsonl`` and ``passages.npy``: the byte where each line begins."""
        starts = [0]
        with (directory / "passages.jsonl").open("wb") as file:
            for p in passages:
                record = {"_id": p.id, "title": p.title, "text": p.text}
                line = json.dumps(record, ensure_ascii=False).encode() + b"\n"
                starts.append(starts[-1] + file.write(line))
        np.save(directory / "passages.npy", np.asarray(starts, dtype=np.int64))

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, number: int) -> Passage:
        """The passage as published, without its pseudo-queries."""
        line = self._lines[self._offsets[number] : self._offsets[number + 1]].tobytes()
        try:
            record = json.loads(line)
            return Passage(id=record["_id"], title=record["title"], text=record["text"])
        except (ValueError, KeyError, TypeError) as error:
            raise self._damaged(f"are damaged at passage {number} ({error!r})") from error

    def ids(self) -> list[str]:
        """The ids of all passages, in order."""
        return [self[number].id for number in range(len(self))]

    def _damaged(self, what: str) -> CorpusError:
        return CorpusError(
            f"passages.jsonl and passages.npy in {self._directory} {what}: "
            "remove that directory and build it again with `ltrgr index`"
        )
