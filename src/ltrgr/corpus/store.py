"""Passages on disk: one JSON line each and an offset table, read one at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ltrgr.corpus.records import Passage


class PassageStore:
    """The passages of an index by number, without holding them in memory."""

    def __init__(self, directory: Path) -> None:
        self._offsets = np.load(directory / "passages.npy", mmap_mode="r")
        self._lines = np.memmap(directory / "passages.jsonl", dtype=np.uint8, mode="r")

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
        """The passage as published; its pseudo-queries are not kept here."""
        line = self._lines[self._offsets[number] : self._offsets[number + 1]].tobytes()
        record = json.loads(line)
        return Passage(id=record["_id"], title=record["title"], text=record["text"])

    def ids(self) -> list[str]:
        """Every passage's id, in order."""
        return [self[number].id for number in range(len(self))]
