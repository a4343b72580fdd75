"""Writing the arrays of an index that is built already."""

from __future__ import annotations

from pathlib import Path

from ltrgr.index.arrays import IndexArrays
from ltrgr.index.storage import STORED
from ltrgr.index.writing import IndexWriter


def write_index(*, arrays: IndexArrays, directory: Path) -> None:
    """As a build does at its end."""
    with IndexWriter(directory) as writer:
        for name in STORED:
            writer.add(name, getattr(arrays, name))
        writer.finish(
            tokens=len(arrays.text),
            passages=len(arrays.passage_offsets) - 1,
            vocabulary_size=len(arrays.first) - 2,
            wide_threshold=arrays.wide_threshold,
        )
