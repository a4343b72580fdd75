"""Catalogue: which artefact is which, read from the folders themselves."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from ltrgr.corpus.records import Corpus, Split
from ltrgr.errors import LtrgrError
from ltrgr.finished import read_done, size_fault
from ltrgr.json_file import (
    DamagedFileError,
    MissingFileError,
    UnreadableFileError,
    read_bytes,
)
from ltrgr.moved import short_name
from ltrgr.pipeline.describe import describe
from ltrgr.pipeline.fingerprint import canonical, difference
from ltrgr.pipeline.pipeline import Pipeline

STAGES = ("index", "pretrain", "mine", "rank", "evaluate")
"""in the order in which they need each other"""

PARENTS = {"pretrain": "index", "mine": "model", "rank": "mined", "evaluate": "model"}
"""stage -> the input that names the artefact it was made from"""


NO_CORPUS = Corpus(
    name="", passages=(), train=Split((), {}), dev=Split((), {}), test=Split((), {}), checksum=""
)
"""for settings that are only looked at: nothing has to be read"""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One artefact's folder."""

    path: Path
    stage: str
    state: str
    """done, begun (the same command goes on), broken (set aside or damaged; can be removed) or
    unreadable (nobody knows what it is)"""
    inputs: Mapping[str, Any]
    """empty where they cannot be read"""
    size: int
    """bytes"""
    age: float
    """seconds since it was last written"""

    @property
    def name(self) -> str:
        """First digits of the fingerprint, as in the folder's name."""
        return self.path.name.partition(".")[0]

    @property
    def parent(self) -> str:
        """Name of the artefact it was made from; empty for an index and for BM25."""
        return str(self.inputs.get(PARENTS.get(self.stage, ""), None) or "")[:12]


def catalogue(root: Path) -> list[Entry]:
    """Every artefact below ``root``, in the order of the stages, the oldest first."""
    found = [
        _entry(path, stage)
        for stage in STAGES
        if (root / stage).is_dir()
        for path in (root / stage).iterdir()
        if path.is_dir()
    ]
    return sorted(found, key=lambda entry: (STAGES.index(entry.stage), -entry.age))


def children(parent: Entry | None, entries: Sequence[Entry]) -> list[Entry]:
    """What was made from ``parent``; for None, what was made from nothing that is still here."""
    names = {entry.name for entry in entries}
    if parent is None:
        return [entry for entry in entries if entry.parent not in names]
    return [entry for entry in entries if entry.parent == parent.name]


def differences(entry: Entry, usual: Mapping[str, Any]) -> list[str]:
    """Settings of ``entry`` that differ from the inputs ``usual`` of its stage: ``key=value``.

    Fingerprints are left out: they say that something differs further up.
    """
    unlike = {"corpus", "system", PARENTS.get(entry.stage, "")}
    own = {key: value for key, value in entry.inputs.items() if key not in unlike}
    lines = difference({k: v for k, v in usual.items() if k in own}, own)
    return [_short(line) for line in lines if not line.endswith("-> (absent)")]


def usual_inputs(pipeline: Pipeline) -> dict[str, Mapping[str, Any]]:
    """stage -> its inputs in this pipeline, whose corpus may be ``NO_CORPUS``"""
    return {
        "index": pipeline.indexed.inputs,
        "pretrain": pipeline.pretrained.inputs,
        "mine": pipeline.mined.inputs,
        "rank": pipeline.ranked.inputs,
        "evaluate": {"settings": describe(pipeline.evaluation), **pipeline.mined.inputs["search"]},
    }


def _short(line: str) -> str:
    key, _, values = line.partition(": ")
    for prefix in ("settings.", "search.", "objective.", "terms."):
        key = key.removeprefix(prefix)
    return f"{key}={short_name(values.rpartition(' -> ')[2].strip(chr(34)))}"


def _entry(path: Path, stage: str) -> Entry:
    files = [file for file in path.rglob("*") if file.is_file()]
    stats = [file.stat() for file in files]
    written = max((stat.st_mtime for stat in stats), default=path.stat().st_mtime)
    return Entry(
        path=path,
        stage=stage,
        state=_state(path, stage),
        inputs=_inputs(path),
        size=sum(stat.st_size for stat in stats),
        age=time.time() - written,
    )


def _state(path: Path, stage: str) -> str:
    if ".broken-" in path.name:
        return "broken"
    if path.name.endswith(".partial"):
        return "begun"
    try:
        done = read_done(path, cure="")
        whole = done.get("stage") == stage and size_fault(path, done.get("files")) is None
    except (MissingFileError, DamagedFileError):
        whole = False
    except UnreadableFileError:
        return "unreadable"
    return "done" if whole else "broken"


def _inputs(path: Path) -> Mapping[str, Any]:
    """As ``DONE.json`` says, which has a checksum; where there is none yet, ``config.yaml``."""
    try:
        inputs = read_done(path, cure="").get("inputs")
    except LtrgrError:
        inputs = None
    return inputs if isinstance(inputs, dict) else _begun_with(path)


def _begun_with(path: Path) -> Mapping[str, Any]:
    try:
        inputs = yaml.safe_load(read_bytes(path / "config.yaml", cure=""))
    except (LtrgrError, ValueError, RecursionError, yaml.YAMLError):
        return {}
    try:
        return dict(canonical(inputs))
    except (LtrgrError, ValueError, TypeError):  # something else than what a stage writes
        return {}
