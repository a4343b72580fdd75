"""Putting a finished directory in another's place, so that its name never leads nowhere."""

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
    """Give ``partial`` the name ``directory`` and remove what had it.

    In one step wherever the system can exchange two names (Linux, local file systems): at every
    moment, also for a reader or after a kill, ``directory`` is the old one or the new one.
    Readers that mapped the old files keep them: a mapped file outlives its name.
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
    """Where this process keeps what is not, or no longer, ``directory``; same file system."""
    return directory.parent / f".{directory.name}.{role}@{socket.gethostname()}@{os.getpid()}"


def remove_leftovers(directory: Path) -> None:
    """Remove the siblings of processes of this machine that live no more.

    An old directory whose process was killed between the two steps is put back.
    """
    for role in ("old", "partial"):
        prefix = f".{directory.name}.{role}@{socket.gethostname()}@"
        for path in [p for p in directory.parent.iterdir() if p.name.startswith(prefix)]:
            process = path.name.removeprefix(prefix)
            # our own number can only be left over too: containers hand out the same few
            if not process.isdigit() or (int(process) != os.getpid() and _is_alive(int(process))):
                continue
            if role == "old" and not directory.exists():
                path.rename(directory)
            else:
                shutil.rmtree(path, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two names atomically; False where the system or the file system cannot."""
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
        pass  # somebody else's, but there
    return True
