"""Artefacts: a stage's product is one directory, complete and its own, or it is not used."""

from __future__ import annotations

import fcntl
import json
import logging
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ltrgr.disk import TEMPORARY, naming_the_disk, write_atomically
from ltrgr.errors import LtrgrError
from ltrgr.finished import DONE, is_changed, read_done, sealed, size_fault
from ltrgr.index.replace import put_in_place
from ltrgr.json_file import (
    DamagedFileError,
    MissingFileError,
    checksum,
    read_json_object,
    state_of,
)
from ltrgr.pipeline.environment import environment
from ltrgr.pipeline.fingerprint import as_yaml, canonical, difference, fingerprint

FORMAT = 1
"""Version of the directory's layout; another version's artefacts are set aside and rebuilt."""

SCRATCH = "checkpoints"
"""Folder of a partial directory that only a resumed run needs; it goes when all is done."""

log = logging.getLogger(__name__)


class ArtefactError(LtrgrError):
    """An artefact is missing or is not what it should be."""


@dataclass(frozen=True, kw_only=True)
class Artefact:
    """The product of ``stage`` for ``inputs``, at ``<root>/<stage>/<first 12 of fingerprint>/``.

    Beside the stage's own files the directory holds ``config.yaml`` (the inputs),
    ``environment.json`` and ``DONE.json`` (format, stage, fingerprint, inputs, seconds, and each
    file's size and blake2b). It is written as ``<name>.partial/`` and renamed when complete.

    ``inputs`` is json-able and names the fingerprints of the artefacts it was made from;
    ``command`` is what errors tell the user to run (default ``ltrgr <stage>``); ``version`` is
    that of the stage's own files. Another version of the same inputs is built again, while what was
    made from it stays good: it says how a product is written down, not what it holds.
    """

    root: Path
    stage: str
    inputs: Mapping[str, Any]
    command: str = ""
    version: int = 1

    @cached_property
    def fingerprint(self) -> str:
        """64 hexadecimal digits of format, stage and inputs."""
        return fingerprint({"format": FORMAT, "stage": self.stage, "inputs": self.inputs})

    @property
    def directory(self) -> Path:
        """Where the complete artefact lies, whether or not it is there."""
        return self.root / self.stage / self.fingerprint[:12]

    @property
    def partial(self) -> Path:
        """Where it is written until it is complete."""
        return self.directory.with_name(f"{self.directory.name}.partial")

    @property
    def _identity(self) -> dict[str, Any]:
        """What the directory's own files must say for it to be this artefact."""
        return {
            "format": FORMAT,
            "stage": self.stage,
            "fingerprint": self.fingerprint,
            "version": self.version,
        }

    def problem(self) -> str | None:
        """Say why the directory cannot be used; None where it can (sizes, not checksums).

        Raises:
            UnreadableFileError: the system does not let us look, so nobody knows.
        """
        if state_of(self.directory) is None:
            return "it does not exist"
        done = read_object(self.directory / "DONE.json")
        if done is None:
            return "it has no readable DONE.json"
        for key, value in self._identity.items():
            if done.get(key) != value:
                return f"its DONE.json says {key} {done.get(key)!r}; expected {value!r}"
        return size_fault(self.directory, done.get("files"))

    @property
    def seconds(self) -> float:
        """How long it took to make; nan where that is not known."""
        found = (read_object(self.directory / "DONE.json") or {}).get("seconds")
        return float(found) if isinstance(found, int | float) else math.nan

    def is_done(self) -> bool:
        """Whether the artefact is there, of this format, stage and inputs, and complete."""
        return self.problem() is None

    def open(self) -> Path:
        """Return the directory.

        Raises:
            ArtefactError: it is missing or not valid; says why, what is nearest, what to run.
        """
        problem = self.problem()
        if problem is None:
            return self.directory
        nearest = "" if self.directory.exists() else self._nearest()
        raise ArtefactError(
            f"cannot use the {self.stage} artefact {self.directory}: {problem}.{nearest} "
            f"Build it with: {self.command or f'ltrgr {self.stage}'}"
        )

    def verify(self) -> None:
        """Read every file and compare its checksum.

        Raises:
            ArtefactError: also names the file whose bytes changed.
        """
        cure = (
            f"remove {self.directory} and build it again with: "
            f"{self.command or f'ltrgr {self.stage}'}"
        )
        for entry in read_done(self.open(), cure=cure)["files"]:
            found = checksum(self.directory / entry["path"], cure=cure)
            if found != entry.get("blake2b"):
                raise ArtefactError(
                    f"{self.directory / entry['path']} has blake2b {found}; expected "
                    f"{entry.get('blake2b')}; {cure}"
                )

    def verified(self) -> bool:
        """Whether it is done and no byte of it changed; a damaged one is moved aside, so that
        ``build`` makes it again."""
        with self._lock():  # else another process's new one could be moved
            if not self.is_done():
                return False
            try:
                self.verify()
            except (ArtefactError, MissingFileError, DamagedFileError) as error:
                self._set_aside(str(error))
                return False
            return True

    def build(
        self,
        make: Callable[[Path], object],
        *,
        resume: bool = True,
        seed: int | None = None,
        again: bool = False,
    ) -> Path:
        """Return the directory, calling ``make(partial directory)`` first where it is not done.

        With ``again`` it is made even if it is done; the old one stays until the new one takes its
        place.
        """
        if again or not self.is_done():
            with self.writing(resume=resume, seed=seed, again=again) as partial:
                if partial is not None:
                    make(partial)
        elif (self.directory / "PARTIAL.json").exists():
            self._tidy()
        return self.open()

    @contextmanager
    def writing(
        self, *, resume: bool = True, seed: int | None = None, again: bool = False
    ) -> Iterator[Path | None]:
        """Yield the partial directory and complete the artefact when the block ends well.

        Yields None where another process completed it while this one waited for the lock. With
        ``resume`` a partial directory of the same fingerprint keeps its files (checkpoints). A
        block that raises, or a process that is killed, leaves the partial directory for the next.

        Raises:
            DiskFullError: the disk took no more, said with its name whoever was writing.
        """
        with naming_the_disk(self.partial), self._lock():
            problem = self.problem()
            if problem is None and not again:
                yield None
                return
            if problem is not None:
                self._set_aside(problem)
            resumed = self._prepare(resume=resume, seed=seed)
            start = time.monotonic()
            yield self.partial
            self._finish(seconds=time.monotonic() - start, resumed=resumed)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        with _locked(self.directory.with_name(f"{self.directory.name}.lock")):
            yield

    def _prepare(self, *, resume: bool, seed: int | None) -> bool:
        mark = self.partial / "PARTIAL.json"
        resumed = resume and read_object(mark) == self._identity
        if resumed:
            (self.partial / "DONE.json").unlink(missing_ok=True)
            for left in self.partial.rglob(f".*{TEMPORARY}"):  # of a process killed while writing
                left.unlink()
        else:
            shutil.rmtree(self.partial, ignore_errors=True)
            self.partial.mkdir()
        write_atomically(self.partial / "config.yaml", as_yaml(canonical(self.inputs)))
        write_atomically(
            self.partial / "environment.json", json.dumps(environment(seed=seed), indent=2)
        )
        write_atomically(mark, json.dumps(self._identity))
        return resumed

    def _finish(self, *, seconds: float, resumed: bool) -> None:
        mark = "PARTIAL.json"
        scratch = self.partial / SCRATCH
        paths = sorted(
            p
            for p in self.partial.rglob("*")
            if p.is_file() and p.name != mark and scratch not in p.parents
        )
        files = [
            {
                "path": path.relative_to(self.partial).as_posix(),
                "size": path.stat().st_size,
                "blake2b": _flushed_checksum(path),
            }
            for path in paths
        ]
        done = {
            **self._identity,
            "inputs": canonical(self.inputs),
            "seconds": round(seconds, 3),
            "resumed": resumed,
            "files": files,
        }
        write_atomically(self.partial / DONE, json.dumps(sealed(done), indent=2))
        put_in_place(self.partial, self.directory)
        _sync_directory(self.directory.parent)
        # Only now: a process killed just before the rename can still resume.
        self._tidy()

    def _tidy(self) -> None:
        """Remove what only a run that goes on needs; again where a kill came between."""
        (self.directory / "PARTIAL.json").unlink(missing_ok=True)
        shutil.rmtree(self.directory / SCRATCH, ignore_errors=True)

    def _set_aside(self, problem: str) -> None:
        if not os.path.lexists(self.directory):
            return
        number = 1
        while os.path.lexists(aside := Path(f"{self.directory}.broken-{number}")):
            number += 1
        self.directory.rename(aside)
        log.warning("%s: %s. Moved aside to %s; building again.", self.directory, problem, aside)

    def _nearest(self) -> str:
        """Tell which complete artefact of this stage differs in the fewest inputs, and where."""
        candidates = []
        for path in self.directory.parent.glob("*/DONE.json"):
            try:
                inputs = json.loads(path.read_text())["inputs"]
                candidates.append((difference(inputs, self.inputs), path.parent.name))
            except (OSError, ValueError, KeyError, TypeError, RecursionError):
                continue  # only a hint
        if not candidates:
            return ""
        lines, name = min(candidates, key=lambda candidate: (len(candidate[0]), candidate[1]))
        return f" The nearest one, {name}, differs in {'; '.join(lines[:5])}."


def read_object(path: Path) -> dict[str, Any] | None:
    """What a JSON file of the artefact says (version 1 once went without saying); None where it is
    missing, damaged or not what was written.

    Raises:
        UnreadableFileError: it is there, and the system does not let us read it.
    """
    try:
        found = read_json_object(path, cure="")
        return None if is_changed(found) else {"version": 1} | found
    except (MissingFileError, DamagedFileError):
        return None


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on ``path``; the kernel drops it when the process dies."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.warning("another process is writing %s; waiting for it", path.stem)
            fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            # Closing is not enough: forked data workers share the lock as long as they live.
            fcntl.flock(file, fcntl.LOCK_UN)


def _flushed_checksum(path: Path) -> str:
    with path.open("rb") as file:
        os.fsync(file.fileno())  # what DONE.json vouches for has reached the disk
    return checksum(path, cure="")


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
