"""Which large indexes this machine has read and found whole, so that it reads them only once.

A copy that was cut, a file that another program touched: all change a file's inode, size or
times. A stamp is an empty file in the user's cache named after these; no stamp, no trust.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

ALWAYS = 16 * 2**20
"""Bytes up to which an index is read at every opening: 10 to 20 ms."""


def is_verified(files: Sequence[os.stat_result]) -> bool:
    """Whether files of just this state were found whole before; never for small ones."""
    return _bytes(files) > ALWAYS and _stamp(files).is_file()


def remember(files: Sequence[os.stat_result]) -> None:
    """Note that files of this state are whole; without a writable cache nothing is noted."""
    if _bytes(files) > ALWAYS:
        with suppress(OSError):
            stamp = _stamp(files)
            stamp.parent.mkdir(parents=True, exist_ok=True)
            stamp.touch()


def _bytes(files: Sequence[os.stat_result]) -> int:
    return sum(file.st_size for file in files)


def _stamp(files: Sequence[os.stat_result]) -> Path:
    state = [[f.st_ino, f.st_size, f.st_mtime_ns, f.st_ctime_ns] for f in files]
    name = hashlib.sha256(json.dumps(state).encode()).hexdigest()
    # unlike Path.expanduser, this one does not raise where there is no home
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    return Path(home) / "ltrgr" / "verified" / name
