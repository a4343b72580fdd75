"""A record of the large indexes that this machine has verified, so that it reads each only once.

The record is a stamp: an empty file in the user's cache, named after the inodes, sizes and times of
the index files. A truncated copy, or a change by another program, changes these, so its stamp is
missing and the index is verified again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

ALWAYS = 16 * 2**20
"""An index of at most this many bytes is verified at every opening, in 10 to 20 ms."""


def is_verified(files: Sequence[os.stat_result]) -> bool:
    """Whether large files in exactly this state were verified before; False for small ones."""
    try:
        return _bytes(files) > ALWAYS and _stamp(files).is_file()
    except OSError:  # a cache of somebody else's
        return False


def remember(files: Sequence[os.stat_result]) -> None:
    """Record that files in this state are whole; without a writable cache, do nothing."""
    if _bytes(files) > ALWAYS:
        with suppress(OSError):
            stamp = _stamp(files)
            stamp.parent.mkdir(parents=True, exist_ok=True)
            stamp.touch()


def _bytes(files: Sequence[os.stat_result]) -> int:
    return sum(file.st_size for file in files)


def _stamp(files: Sequence[os.stat_result]) -> Path:
    return cache_folder("verified") / state_name(files)


def state_name(files: Sequence[os.stat_result]) -> str:
    """A name, of hexadecimal digits, that changes whenever a file is written or replaced."""
    state = [[f.st_ino, f.st_size, f.st_mtime_ns, f.st_ctime_ns] for f in files]
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()


def cache_folder(name: str) -> Path:
    """A folder of ours in the user's cache, which may not be there."""
    # Path.expanduser raises without a home directory, os.path.expanduser does not
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    return Path(home) / "ltrgr" / name
