"""Compiled code: numba's ``njit``, which needs no folder that can be written.

numba keeps compiled code in ``NUMBA_CACHE_DIR``, else in the package's ``__pycache__``, else in the
user's cache folder, and refuses to define a function where it can write to none of them: a
read-only installation and a read-only home. Here a temporary folder of the user's own follows, and
at last compiling anew in each process.
"""

from __future__ import annotations

import logging
import os
import stat
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba

log = logging.getLogger(__name__)


def njit(**options: Any) -> Callable[[Any], Any]:
    """As ``numba.njit(**options)``, also where nothing can be kept on a disk."""

    def compiled(function: Any) -> Any:
        make = numba.njit(**options)
        try:
            return make(function)
        except RuntimeError:  # no folder for the compiled code
            folder = private_folder()
        if folder is not None:
            numba.config.CACHE_DIR = str(folder)  # where numba looks first
            return make(function)
        return numba.njit(**(options | {"cache": False}))(function)

    return compiled


def must_compile(kernel: Any) -> bool:
    """Whether the next call of a kernel compiles it: neither this process nor the cache has it."""
    if kernel.signatures:
        return False
    where = kernel.stats.cache_path  # None: nothing is kept
    name = f"{kernel.__module__.rpartition('.')[2]}.{kernel.__name__}"
    return where is None or not any(Path(where).glob(f"{name}*.nbi"))


@cache
def private_folder() -> Path | None:
    """A temporary folder that nobody else can write to: numba loads what lies there. None where
    there is none; then a warning says so, once."""
    try:
        folder = Path(tempfile.gettempdir()) / f"ltrgr-numba-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        why = str(error)
    else:
        shared = found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077
        if stat.S_ISDIR(found.st_mode) and not shared:
            return folder
        why = f"{folder} is not a folder of this user alone"
    log.warning(
        "compiled code cannot be kept, so each run compiles for about a minute (%s); set "
        "NUMBA_CACHE_DIR to a folder that can be written",
        why,
    )
    return None
