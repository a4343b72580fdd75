"""Replacing a directory by a finished one; at every moment its name leads to a whole directory."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import socket
from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def put_in_place(partial: Path, directory: Path) -> None:
    """Rename ``partial`` to ``directory`` and remove the old directory.

    Where the system can exchange two names (Linux, local file systems), this is one step: at every
    moment, also after a kill, ``directory`` is either the old one or the new one. A reader that has
    mapped the old files keeps them, because a mapped file outlives its name.
    """
    try:
        partial.rename(directory)  # also over an empty directory
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        if _exchange(partial, directory):
            shutil.rmtree(partial, ignore_errors=True)
        else:
            _replace_in_two_steps(partial, directory)


def sibling(directory: Path, role: str) -> Path:
    """A hidden path beside ``directory``, unique to this process and ``role`` (old or partial)."""
    return directory.parent / f".{directory.name}.{role}@{socket.gethostname()}@{os.getpid()}"


def remove_leftovers(directory: Path) -> None:
    """Remove the siblings that dead processes of this machine left.

    If a process was killed between the two steps of a replacement, its old directory is restored.
    """
    for role in ("old", "partial"):
        prefix = f".{directory.name}.{role}@{socket.gethostname()}@"
        for path in [p for p in directory.parent.iterdir() if p.name.startswith(prefix)]:
            process = path.name.removeprefix(prefix)
            # a sibling with our own number is a leftover too: containers reuse few numbers
            if not process.isdigit() or (int(process) != os.getpid() and _is_alive(int(process))):
                continue
            if role == "old" and not directory.exists():
                path.rename(directory)
            else:
                shutil.rmtree(path, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two names atomically; False if the system or the file system cannot."""
    function = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if function is None:
        return False
    failed = function(
        _AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), ctypes.c_uint(_RENAME_EXCHANGE)
    )
    return not failed


def _replace_in_two_steps(partial: Path, directory: Path) -> None:
    old = sibling(directory, "old")
    directory.rename(old)
    partial.rename(directory)
    shutil.rmtree(old, ignore_errors=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)  # signal 0 asks, it does not kill
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # the process of another user, but alive
    return True
