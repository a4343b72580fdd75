"""Folder: where a run or a sweep keeps its log and its outcomes, and nobody else does."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import IO, Any

from omegaconf import DictConfig, OmegaConf, flag_override

from ltrgr.cli.arguments import in_quotes
from ltrgr.errors import LtrgrError

CLOCK = "${now:"
"""in the name of a folder: it is meant to be a new one"""

LOCK = ".sweep.lock"


class FolderInUseError(LtrgrError):
    """Another sweep, which is still running, keeps its outcomes in this folder."""


def claim(config: DictConfig, key: str) -> Path:
    """The folder ``hydra.<key>.dir``, made here if the clock names it: two commands of one second
    then have different ones, the second with ``-2`` at its end.

    The jobs of a sweep compose their config again, so the name goes to their overrides, too.
    """
    section = config.hydra[key]
    written = str(OmegaConf.to_container(section, resolve=False)["dir"])  # type: ignore[index, call-overload]
    directory = Path(section.dir)
    if CLOCK not in written:
        directory.mkdir(parents=True, exist_ok=True)
        return directory
    directory = _made(directory)
    with flag_override(config.hydra, ["readonly", "struct"], [False, False]):
        section.dir = str(directory)
        config.hydra.overrides.hydra.append(f"hydra.{key}.dir={in_quotes(str(directory))}")
    return directory


def hold(directory: Path) -> IO[Any]:
    """A lock on the folder; closing the file, and the end of the process, gives it back.

    Raises:
        FolderInUseError: another process holds it.
    """
    file = (directory / LOCK).open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise FolderInUseError(
            f"another sweep is running in {directory}; wait for it, or give this one a folder of "
            "its own with hydra.sweep.dir=FOLDER"
        ) from error
    return file


def _made(directory: Path) -> Path:
    directory.parent.mkdir(parents=True, exist_ok=True)
    for name in _names(directory.name):
        with suppress(FileExistsError):
            (made := directory.with_name(name)).mkdir()
            return made
    raise AssertionError("names do not end")


def _names(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}-{number}" for number in count(2))
