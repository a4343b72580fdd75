"""The memory and disk that this process may still use."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

ROOT = Path("/")
CGROUPS = (
    ("sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory.current"),
    (
        "sys/fs/cgroup/memory/memory.limit_in_bytes",
        "sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)
"""Files of a container's memory limit and use under ``ROOT``, for cgroup versions 2 and 1."""


def free_memory(*, root: Path = ROOT) -> int | None:
    """Bytes free without swapping, of the machine or of the container, whichever is less.

    Cached files count as free, because the kernel drops them on demand. None if the system does not
    report any of this.
    """
    known = [size for size in (_machine(root), *(_cgroup(root, *c) for c in CGROUPS)) if size]
    return min(known, default=None)


def free_disk(directory: Path) -> int | None:
    """Bytes free on the file system of ``directory``, which need not exist yet."""
    existing = next(path for path in (directory, *directory.absolute().parents) if path.exists())
    return shutil.disk_usage(existing).free


def _machine(root: Path) -> int | None:
    try:
        found = re.search(r"^MemAvailable:\s+(\d+) kB", _read(root / "proc/meminfo"), re.MULTILINE)
    except OSError:
        found = None
    if found:
        return int(found[1]) * 1024
    try:  # not Linux
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return None


def _cgroup(root: Path, limit: str, use: str) -> int | None:
    try:
        allowed, used = _read(root / limit), int(_read(root / use))
        cached = re.search(
            r"^(?:total_)?inactive_file (\d+)$",
            _read((root / use).with_name("memory.stat")),
            re.MULTILINE,
        )
    except (OSError, ValueError):
        return None
    if allowed.strip() == "max":
        return None
    return max(1, int(allowed) - used + (int(cached[1]) if cached else 0))


def _read(path: Path) -> str:
    return path.read_text(encoding="ascii")
