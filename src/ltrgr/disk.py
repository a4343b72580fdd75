"""One error for a full disk, which each library reports in its own words, or hardly at all."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ltrgr.errors import LtrgrError

TEMPORARY = ".tmp"
"""How the name of a file ends that is being written; the dot before it makes it hidden."""

_ERRNOS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

_WORDS = re.compile(
    r"No space left on device|Disk quota exceeded|File too large"  # Rust libraries: text only
    r"|\d+ requested and \d+ written"  # numpy's tofile: no errno
    r"|PytorchStreamWriter failed writing|iostream error"  # torch.save: a RuntimeError
)


class DiskFullError(LtrgrError, OSError):
    """A disk took no more; the message names the disk and what is free on it."""


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write ``content`` under a temporary name, flush it to the disk, rename it to ``path``."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY}")
    try:
        with temporary.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def naming_the_disk(path: Path) -> Iterator[None]:
    """Turn whatever a full disk below ``path`` raises in the block into one clear error.

    Each library says it in its own words, or hardly at all.

    Raises:
        DiskFullError: names the file system of ``path``, its free space and what to do. Other
            errors pass unchanged.
    """
    try:
        yield
    except DiskFullError:
        raise
    except Exception as error:
        reason = _reason(error)
        if reason is None:
            raise
        raise DiskFullError(
            f"could not write all of {path} ({reason}): {_space(path)}. Free some space, raise the "
            "limit, or choose another disk with root=..., and run the same command again"
        ) from error


def _reason(error: BaseException) -> str | None:
    """The words that tell of a full disk, in ``error`` or what caused it."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno in _ERRNOS:
            return os.strerror(seen.errno)
        if found := _WORDS.search(str(seen)):
            return found[0]
        seen = seen.__cause__ or seen.__context__
    return None


def _space(path: Path) -> str:
    existing = next(p for p in (path.absolute(), *path.absolute().parents) if p.exists())
    mount = next(p for p in (existing, *existing.parents) if p.is_mount())
    usage = shutil.disk_usage(existing)
    return (
        f"found {usage.free / 1e6:.1f} MB free of {usage.total / 1e6:.1f} MB on the disk at {mount}"
    )
