"""Finished run folders as the page reads them: JSON and CSV, never a model."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltrgr.errors import LtrgrError
from ltrgr.report.page.damage import damage, logged

STAGES = ("index", "pretrain", "mine", "rank", "evaluate")
MADE_FROM = ("model", "mined", "index")
"""inputs that name another run"""


class NoRunsError(LtrgrError):
    """There is nothing to report on."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """One artefact."""

    stage: str
    directory: Path
    fingerprint: str
    inputs: Mapping[str, Any]
    seconds: float
    environment: Mapping[str, Any]
    damage: Mapping[str, str] = field(default_factory=dict)
    """files that cannot be read, taken as not there -> what is wrong"""

    @property
    def time(self) -> str:
        """When it was made (UTC), to the second; empty where that is not known."""
        return str(self.environment.get("time", ""))[:19].replace("T", " ")

    @property
    def name(self) -> str:
        """How its folder is called."""
        return self.directory.name

    @cached_property
    def values(self) -> dict[str, NDArray[np.float64]]:
        """metric -> value per question; empty where this is no evaluation."""
        stored = self.read("per_question.json") or {}
        return {k: np.asarray(v, dtype=np.float64) for k, v in stored.get("values", {}).items()}

    @cached_property
    def metrics(self) -> dict[str, float]:
        """metric -> mean, and ``seconds_per_question``."""
        return self.read("metrics.json") or {}

    @cached_property
    def curves(self) -> dict[str, list[tuple[float, float]]]:
        """logged name -> (step, value) in order; a resumed run's later file wins a step."""
        points: dict[str, dict[float, float]] = defaultdict(dict)
        for path in sorted(self.directory.glob("curves/*/metrics.csv"), key=_version):
            if path.relative_to(self.directory).as_posix() not in self.damage:
                for name, step, value in logged(path):
                    points[name][step] = value
        return {name: sorted(found.items()) for name, found in points.items()}

    def has(self, name: str) -> bool:
        """Whether a file is there and can be read."""
        return name not in self.damage and (self.directory / name).is_file()

    def read(self, name: str) -> Any:
        """A JSON file of the folder; None where it is not there."""
        if not self.has(name):
            return None
        return json.loads((self.directory / name).read_text(encoding="utf-8"))


@dataclass(frozen=True, kw_only=True)
class Runs:
    """Every finished artefact below ``root``, by stage and by fingerprint."""

    root: Path
    found: tuple[Run, ...]
    damaged: tuple[tuple[str, str], ...] = ()
    """what is left out, for it cannot be read -> why"""

    @classmethod
    def load(cls, root: Path) -> Runs:
        """Read ``<root>/<stage>/<name>/DONE.json``.

        Raises:
            NoRunsError: nothing was measured and no table was written there.
        """
        paths = [p for stage in STAGES for p in sorted(root.glob(f"{stage}/*")) if _is_artefact(p)]
        damages = {path: damage(path) for path in paths if path.suffix != ".partial"}
        lost = [path for path, wrong in damages.items() if "DONE.json" in wrong]
        read = [_run(path, wrong) for path, wrong in damages.items() if path not in lost]
        orphans = cls(root=root, found=tuple(read))._made_from(lost)
        reasons = {
            f"{_place(path)}/{n}": why for path in damages for n, why in damages[path].items()
        }
        reasons |= {_place(run.directory): f"made from {_place(o)}" for run, o in orphans.items()}
        sound = tuple(run for run in read if run not in orphans)
        runs = cls(root=root, found=sound, damaged=tuple(reasons.items()))
        if not runs.of("evaluate") and not list(root.glob("*/table.json")):
            beside = "".join(f"; {what} cannot be read: {why}" for what, why in runs.damaged[:1])
            raise NoRunsError(
                f"found no finished evaluation and no table.json under {root}, expected runs to "
                "report on; run `ltrgr table` or `ltrgr rank` first, or name their folder: "
                f"ltrgr report root=FOLDER{beside}"
            )
        return runs

    def of(self, stage: str) -> list[Run]:
        """The runs of a stage, oldest first."""
        mine = [run for run in self.found if run.stage == stage]
        return sorted(mine, key=lambda run: str(run.environment.get("time", "")))

    def parent(self, run: Run) -> Run | None:
        """What a run was made from: its model, rank lists, stage-1 model or index."""
        for key in MADE_FROM:
            if found := self._by_fingerprint.get(str(run.inputs.get(key))):
                return found
        return None

    def chain(self, run: Run) -> list[Run]:
        """The run and all that it was made from."""
        chain = [run]
        while (parent := self.parent(chain[-1])) and parent not in chain:
            chain.append(parent)
        return chain

    def _made_from(self, lost: Sequence[Path]) -> dict[Run, Path]:
        """The runs that descend from a lost folder, and which: they are lost with it.

        Without their settings, runs that differ would count as repeats of one.
        """
        names = {path.name: path for path in lost}
        found = {}
        for run in self.found:
            first = self.chain(run)[-1]
            parents = (str(first.inputs.get(key))[:12] for key in MADE_FROM)
            if parent := next((names[name] for name in parents if name in names), None):
                found[run] = parent
        return found

    def before(self, evaluation: Run) -> Run | None:
        """The evaluation, on the same questions, of the stage-1 model that stage 2 began with."""
        first = next((run for run in self.chain(evaluation) if run.stage == "pretrain"), None)
        if first is None or evaluation.inputs.get("system") != "rank":
            return None
        same = [
            run
            for run in self.of("evaluate")
            if run.inputs.get("model") == first.fingerprint and asked(run) == asked(evaluation)
        ]
        equal = [run for run in same if _search(run) == _search(evaluation)]
        return next(iter([*equal, *same]), None)

    @cached_property
    def _by_fingerprint(self) -> dict[str, Run]:
        return {run.fingerprint: run for run in self.found}


def asked(run: Run) -> tuple[str, ...]:
    """What was asked: runs are compared only where this is the same."""
    settings = run.inputs.get("settings", {})
    parts = [settings.get(key) for key in ("split", "questions", "passages")]
    return (str(run.inputs.get("corpus")), *map(str, parts))


def _search(run: Run) -> tuple[Any, Any]:
    return run.inputs.get("scoring"), run.inputs.get("decoding")


def _version(path: Path) -> tuple[int, str]:
    number = path.parent.name.rpartition("_")[2]
    return (int(number) if number.isdigit() else 0, path.parent.name)


def _is_artefact(path: Path) -> bool:
    """Whether it is one, or its name says that it was: without its ``DONE.json`` it is damaged."""
    named = re.fullmatch(r"[0-9a-f]{12}", path.name) is not None
    return path.is_dir() and (named or (path / "DONE.json").is_file())


def _place(directory: Path) -> str:
    return f"{directory.parent.name}/{directory.name}"


def _run(directory: Path, wrong: Mapping[str, str]) -> Run:
    done = json.loads((directory / "DONE.json").read_text(encoding="utf-8"))
    environment = directory / "environment.json"
    known = environment.is_file() and environment.name not in wrong
    return Run(
        stage=done["stage"],
        directory=directory,
        fingerprint=done["fingerprint"],
        inputs=done["inputs"],
        seconds=float(done.get("seconds", 0)),
        environment=json.loads(environment.read_text(encoding="utf-8")) if known else {},
        damage=wrong,
    )
