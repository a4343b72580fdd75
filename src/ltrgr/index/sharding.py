"""Building an index in shards, one at a time, so that the largest shard bounds the memory."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltrgr.errors import IndexFormatError
from ltrgr.index.construction import Progress, check_corpus
from ltrgr.index.fm_index import FMIndex
from ltrgr.index.manifest import MANIFEST, shard_directory, write_manifest

NAME = rf"(shard-\d{{5}}|{re.escape(MANIFEST)})"
OURS = re.compile(rf"{NAME}|\.{NAME}\..*")
"""A shard or the manifest; what begins with a dot is being written, or its writer was killed."""


def cut(offsets: NDArray[Any], shard_tokens: int | None) -> NDArray[np.int64]:
    """[S + 1] the first passage of each shard, and P.

    A shard takes passages in order while they fit in ``shard_tokens``. A longer passage has a
    shard of its own. If a corpus grows at its end, only the last shard changes.

    Raises:
        IndexFormatError: ``shard_tokens`` is below 1.

    >>> cut(np.array([0, 3, 5, 12, 14]), 5)
    array([0, 2, 3, 4])
    """
    n_passages = len(offsets) - 1
    if shard_tokens is None:
        return np.array([0, n_passages])
    if shard_tokens < 1:
        raise IndexFormatError(f"shard_tokens is {shard_tokens}: expected 1 or more, or null")
    cuts = [0]
    while cuts[-1] < n_passages:
        fits = np.searchsorted(offsets, int(offsets[cuts[-1]]) + shard_tokens, side="right") - 1
        cuts.append(max(int(fits), cuts[-1] + 1))
    return np.array(cuts)


def build_shards(
    *,
    tokens: NDArray[Any],
    offsets: NDArray[Any],
    vocabulary_size: int,
    directory: Path,
    shard_tokens: int | None,
    wide_threshold: int,
    progress: Progress | None,
    force: bool,
) -> None:
    """Build the missing shards of an index; see `Shards.build` for arguments and errors."""
    tokens, offsets = np.asarray(tokens), np.asarray(offsets)
    check_corpus(tokens=tokens, offsets=offsets, vocabulary_size=vocabulary_size)
    cuts = cut(offsets, shard_tokens)
    n_shards = len(cuts) - 1
    report = progress or (lambda step, share: None)
    if n_shards > 1:
        _make_room(directory)
    shards = [shard_directory(directory, i) for i in range(n_shards)] if n_shards > 1 else []
    for number, shard in enumerate(shards or [directory]):
        first, last = cuts[number : number + 2]
        begin, end = int(offsets[first]), int(offsets[last])
        _build_missing(
            tokens=tokens[begin:end],
            offsets=offsets[first : last + 1] - begin,
            vocabulary_size=vocabulary_size,
            directory=shard,
            wide_threshold=wide_threshold,
            force=force,
            progress=_part(
                report,
                prefix=f"shard {number + 1} of {n_shards}: " if shards else "",
                begin=begin / len(tokens),
                size=(end - begin) / len(tokens),
            ),
        )
    if shards:
        _remove_others(directory, keep=shards)
        write_manifest(directory, shards)
    report("done", 1.0)


def _make_room(directory: Path) -> None:
    """Prepare a directory for shards. Its manifest is removed: without it, it is no index yet."""
    if directory.exists():
        foreign = [path for path in directory.iterdir() if not OURS.fullmatch(path.name)]
        if foreign:
            raise IndexFormatError(
                f"{directory} holds {foreign[0].name}: expected a new directory, an empty one or "
                "shards of an index; it is left as it is. Give `ltrgr index` another directory"
            )
    directory.mkdir(parents=True, exist_ok=True)
    for path in (directory / MANIFEST, *directory.glob(f".{MANIFEST}.*")):  # of a killed build
        path.unlink(missing_ok=True)


def _build_missing(
    *,
    tokens: NDArray[Any],
    offsets: NDArray[Any],
    vocabulary_size: int,
    directory: Path,
    wide_threshold: int,
    progress: Progress,
    force: bool,
) -> None:
    progress("looking for a finished part", 0.0)
    if _holds(directory, tokens, offsets, (vocabulary_size, wide_threshold)):
        return
    FMIndex.build(
        tokens=tokens,
        offsets=offsets,
        vocabulary_size=vocabulary_size,
        directory=directory,
        wide_threshold=wide_threshold,
        progress=progress,
        force=force,
    )


def _holds(
    directory: Path, tokens: NDArray[Any], offsets: NDArray[Any], settings: tuple[int, int]
) -> bool:
    """Whether ``directory`` holds an undamaged index of exactly these passages.

    The comparison is with the text that every index keeps: safer than a checksum, and as fast.
    """
    try:
        index = FMIndex.open(directory, verify=True)
    except IndexFormatError:
        return False
    return (
        (index.vocabulary_size, index.arrays.wide_threshold) == settings
        and np.array_equal(index.arrays.passage_offsets, offsets)
        and np.array_equal(index.arrays.text, tokens)
    )


def _part(report: Progress, *, prefix: str, begin: float, size: float) -> Progress:
    """Convert the progress of one shard to progress of the whole build."""

    def progress(step: str, share: float) -> None:
        if step != "done":  # of one shard; the whole build reports it once
            report(prefix + step, begin + share * size)

    return progress


def _remove_others(directory: Path, *, keep: list[Path]) -> None:
    """Remove the shards of an earlier build with another cut."""
    for path in directory.glob("shard-*"):
        if path not in keep:
            shutil.rmtree(path)
