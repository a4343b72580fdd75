"""The token stream of a corpus as files of its own, beside an index that does not hold it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltrgr.disk import naming_the_disk
from ltrgr.index.storage import STREAM, read_arrays
from ltrgr.index.writing import IndexWriter


def write_stream(
    directory: Path, *, tokens: NDArray[Any], offsets: NDArray[Any], vocabulary_size: int
) -> None:
    """Save the stream with its checksums; ``directory`` is replaced in one step.

    Args:
        tokens: [N] token ids below ``vocabulary_size``.
        offsets: [P + 1] begin of each passage in ``tokens``; the last entry is N.

    Raises:
        IndexFormatError: the directory holds something else.
        DiskFullError: the disk is full; the old content of ``directory`` is unchanged.
    """
    narrow = np.uint16 if vocabulary_size <= 2**16 else np.uint32
    with naming_the_disk(directory), IndexWriter(directory, STREAM) as writer:
        writer.add("tokens", tokens.astype(narrow))
        writer.add("offsets", offsets.astype(np.int64))
        writer.finish(vocabulary_size=vocabulary_size)


def read_stream(directory: Path) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """(tokens [N], offsets [P + 1]), in memory.

    Raises:
        IndexFormatError: missing, foreign, of another version, truncated, or damaged.
    """
    mapped, _ = read_arrays(directory=directory, layout=STREAM, verify=None)
    return mapped["tokens"].astype(np.int32), mapped["offsets"].astype(np.int64)
