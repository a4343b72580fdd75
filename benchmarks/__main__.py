"""``python -m benchmarks``: see ``--help`` and the README beside this file."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from pathlib import Path


def kernel_cache() -> str:
    """A directory for compiled kernels that belongs to exactly these sources.

    numba looks at the file of the compiled function only, not at what that calls in other files:
    with the usual cache, a commit could be timed with another commit's kernels.
    """
    sources = Path(__file__).resolve().parents[1] / "src" / "ltrgr"
    digest = hashlib.sha256()
    for path in sorted(sources.rglob("*.py")):
        digest.update(path.read_bytes())
    name = f"ltrgr-kernels-{os.getuid()}-{digest.hexdigest()[:16]}"
    return str(Path(tempfile.gettempdir()) / name)


if __name__ == "__main__":
    os.environ.setdefault("NUMBA_CACHE_DIR", kernel_cache())
    from benchmarks.run import main

    sys.exit(main(sys.argv[1:]))
