"""The process that builds: ``python -m benchmarks.build_child SCRATCH DIRECTORY V REPEATS``."""

from __future__ import annotations

import json
import re
import resource
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np

from ltrgr.index.arrays import WIDE_THRESHOLD
from ltrgr.index.fm_index import FMIndex


def main(scratch: Path, directory: Path, vocabulary_size: int, repeats: int) -> None:
    """Print a JSON list of the seconds and the peak bytes of each build."""
    with TemporaryDirectory() as small:
        # Compiles every kernel and imports the suffix sorter: long enough for wide intervals.
        tokens = np.random.default_rng(0).integers(0, 7, 3 * WIDE_THRESHOLD).astype(np.int32)
        _build(tokens, np.array([0, len(tokens)]), max(vocabulary_size, 7), Path(small) / "index")
    built = []
    for _ in range(repeats):
        _reset_peak()
        before = _memory("VmRSS")
        tokens = np.load(scratch / "tokens.npy")
        offsets = np.load(scratch / "offsets.npy")
        begin = perf_counter()
        _build(tokens, offsets, vocabulary_size, directory)
        elapsed = perf_counter() - begin
        built.append({"seconds": elapsed, "peak_bytes": _memory("VmHWM") - before})
        del tokens, offsets
    print(json.dumps(built))


def _build(tokens: np.ndarray, offsets: np.ndarray, size: int, directory: Path) -> None:
    FMIndex.build(tokens=tokens, offsets=offsets, vocabulary_size=size, directory=directory)


def _reset_peak() -> None:
    """Let the kernel forget the process's highest memory so far, where it can (Linux)."""
    clear = Path("/proc/self/clear_refs")
    if clear.exists():
        clear.write_text("5")


def _memory(field: str) -> int:
    """Bytes of a line of /proc/self/status; elsewhere the highest memory ever, from getrusage."""
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(rf"^{field}:\s+(\d+) kB", status.read_text(), re.MULTILINE)
        if found:
            return int(found[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
