"""Training checkpoints: on the disk whole or not at all, and never trusted unread."""

from __future__ import annotations

import io
import logging
import zipfile
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins.io import TorchCheckpointIO

from ltrgr.disk import write_atomically
from ltrgr.json_file import UnreadableFileError, file_error, state_of

CHUNK = 1 << 22

log = logging.getLogger(__name__)


class WholeCheckpoints(TorchCheckpointIO):
    """Write beside the checkpoint and rename.

    Lightning writes to the system's temporary folder and moves: to another disk that is a copy,
    which a kill or a full disk cuts short.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None
    ) -> None:
        """Replace ``path`` in one step."""
        buffer = io.BytesIO()
        torch.save(checkpoint, buffer)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(Path(path), buffer.getvalue())


def resumable(path: Path) -> Path | None:
    """``path`` where training can go on from it; a damaged one is moved aside with a warning, and
    so is ``path`` where another checkpoint beside it, the best so far, is damaged.

    Raises:
        UnreadableFileError: the system does not let us read it; hours of training may be in it.
    """
    if state_of(path) is None:
        return None
    found = {one: _problem(one) for one in (path, *sorted(path.parent.glob("*.ckpt")))}
    problem = next((f"{one.name}: {why}" for one, why in found.items() if why is not None), None)
    if problem is None:
        return path
    aside = path.with_name(f"{path.name}.broken")
    path.replace(aside)
    log.warning("%s is damaged (%s): moved to %s, training starts again", path, problem, aside.name)
    return None


def _problem(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            while file.read(CHUNK):
                pass
    except OSError as error:
        failed = file_error(path, error, cure="")
        if isinstance(failed, UnreadableFileError):
            raise failed from error
    try:  # what fails from here on is the content
        with zipfile.ZipFile(path) as archive:  # what torch.save writes, with a CRC an entry
            damaged = archive.testzip()
    except (OSError, ValueError, EOFError, NotImplementedError, zipfile.BadZipFile) as error:
        return str(error)
    return None if damaged is None else f"the checksum of its entry {damaged} is wrong"
