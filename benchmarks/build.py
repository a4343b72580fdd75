"""Building, size and opening of an index."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.measure import Row, scaled, seconds
from benchmarks.world import World
from ltrgr.index.fm_index import FMIndex

CHILD = "benchmarks.build_child"


def measure(world: World, *, repeats: int) -> Iterator[Row]:
    """Build in a process of its own, where nothing else adds to the peak; leaves the index."""
    n = len(world.tokens)
    built = _build(world, repeats=repeats)
    yield Row(
        name="build/tokens per second",
        unit="M/s",
        values=[n / 1e6 / each["seconds"] for each in built],
        note="from token ids to a saved index",
    )
    yield Row(
        name="build/peak",
        unit="B/token",
        values=[built[0]["peak_bytes"] / n],  # later builds find memory that was never given back
        note="int32 tokens included" + ("; coarse below 1 M tokens" if n < 1e6 else ""),
    )
    files = list(world.index_directory.iterdir())
    size = sum(file.stat().st_size for file in files)
    yield Row(name="build/disk", unit="B/token", values=[size / n])
    yield from _open(world, files, repeats=max(3, repeats))


def _build(world: World, *, repeats: int) -> list[dict[str, float]]:
    shutil.rmtree(world.index_directory, ignore_errors=True)
    with TemporaryDirectory(dir=world.directory) as scratch:
        np.save(Path(scratch) / "tokens.npy", world.tokens)
        np.save(Path(scratch) / "offsets.npy", world.offsets)
        command = [sys.executable, "-m", CHILD, scratch, str(world.index_directory)]
        command += [str(len(world.vocabulary)), str(repeats)]
        checkout = Path(__file__).resolve().parents[1]
        done = subprocess.run(command, cwd=checkout, stdout=subprocess.PIPE, check=True)
    built: list[dict[str, float]] = json.loads(done.stdout)
    return built


def _open(world: World, files: list[Path], *, repeats: int) -> Iterator[Row]:
    def evict() -> None:
        for file in files:
            descriptor = os.open(file, os.O_RDONLY)
            try:
                os.fsync(descriptor)  # only clean pages can be dropped
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)

    def open_index(_: None) -> FMIndex:
        return world.open_index()

    warm = seconds(lambda: None, open_index, repeats=repeats)
    yield Row(name="build/open", unit="ms", values=scaled(warm, 1e3))
    if hasattr(os, "posix_fadvise"):
        cold = seconds(evict, open_index, repeats=repeats)
        yield Row(
            name="build/open, cold",
            unit="ms",
            values=scaled(cold, 1e3),
            note="page cache asked to drop the files",
        )
