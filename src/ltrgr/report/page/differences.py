"""What sets runs apart: the settings of the whole chain, flattened, and those that differ."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ltrgr.moved import short_name
from ltrgr.report.page.runs import Run, Runs

Flat = dict[str, Any]

SKIPPED = {"is", "corpus", "model", "mined", "index", "system", "targets", "unit", "seed"}
"""inputs that are other artefacts, types, or shown elsewhere"""

SWEPT = 3
"""settings that a name can hold"""

FINGERPRINT = re.compile("[0-9a-f]{64}")
"""of another run; its folder is named by the first twelve characters"""


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One setting that differs between runs."""

    name: str
    keys: tuple[str, ...]
    """flattened settings that always change together and are called the same"""

    def of(self, flat: Flat) -> Any:
        """The value in a run; None where the run has no such setting."""
        return flat.get(self.keys[0])


def flatten(runs: Runs, run: Run) -> Flat:
    """Every setting of a run and of what it was made from, ``stage.section.name`` -> value.

    The stage-2 seed is left out: runs that differ in it alone are repeats.
    """
    flat: Flat = {}
    for part in runs.chain(run):
        inputs = dict(part.inputs)
        if part.stage == "evaluate":
            for known in ("settings", "corpus"):
                inputs.pop(known, None)
        if views := inputs.pop("views", None):
            flat["index.views"] = " + ".join(views)
        settings = inputs.pop("settings", {})
        terms = settings.get("objective", {}).get("terms", {})
        if terms:
            flat["rank.loss"] = _names(terms, "loss")
            flat["rank.sampler"] = _names(terms, "sampler")
            flat["rank.unit"] = next((t["unit"] for t in terms.values() if "unit" in t), None)
        for section in (inputs, settings):
            flat.update(_flat(section, part.stage))
    return flat


def seed_of(runs: Runs, run: Run) -> int | None:
    """The seed of stage 2; None for other systems."""
    rank = next((part for part in runs.chain(run) if part.stage == "rank"), None)
    return None if rank is None else rank.inputs.get("settings", {}).get("seed")


def axes(flats: Sequence[Flat]) -> list[Axis]:
    """The settings with several values; those with the same name and values form one axis."""
    keys = list(dict.fromkeys(key for flat in flats for key in flat))
    columns = {key: tuple(flat.get(key) for flat in flats) for key in keys}
    equal: dict[tuple[str, tuple[Any, ...]], list[str]] = defaultdict(list)
    for key, column in columns.items():
        if len(set(column)) > 1:
            equal[(key.rpartition(".")[2], column)].append(key)
    short = Counter(name for name, _ in equal)
    return [
        Axis(name=name if short[name] == 1 else _longer(found[0]), keys=tuple(found))
        for (name, _), found in equal.items()
    ]


def described(flat: Flat, found: Sequence[Axis], flats: Sequence[Flat]) -> str:
    """What is particular to a run: kinds always, other settings unless most runs have the value.

    A sweep over few settings names all of them.
    """
    words = []
    all_of_them = len(found) <= SWEPT
    for axis in found:
        value = axis.of(flat)
        kind = axis.name in ("views", "loss")
        if value is not None and (kind or all_of_them or not _is_of_most(value, axis, flats)):
            words.append(f"{axis.name} {shown(value)}")
    return ", ".join(words)


def usual(axis: Axis, flats: Sequence[Flat]) -> Any:
    """The value that most runs have (the first of equals); runs without the setting do not vote."""
    values = [axis.of(flat) for flat in flats if axis.of(flat) is not None]
    return Counter(values).most_common(1)[0][0] if values else None


def _is_of_most(value: Any, axis: Axis, flats: Sequence[Flat]) -> bool:
    """Whether more than half of the runs with the setting have this value."""
    values = [axis.of(flat) for flat in flats if axis.of(flat) is not None]
    return 2 * values.count(value) > len(values)


def shown(value: Any) -> str:
    """A setting as people write it.

    >>> shown(1.30), shown(None), shown("ltrgr.losses.margin:margin"), shown(("drop", "noise"))
    ('1.3', '-', 'margin_loss', 'drop + noise')
    >>> shown("5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9")  # a fingerprint
    '5feceb66ffc8'
    """
    if value is None or value == ():
        return "-"
    if isinstance(value, tuple):
        return " + ".join(map(shown, value))
    if isinstance(value, float):
        return f"{value:g}"
    words = short_name(str(value))
    return words[:12] if FINGERPRINT.fullmatch(words) else words


def _flat(settings: Mapping[str, Any], prefix: str) -> Flat:
    flat: Flat = {}
    for key, value in settings.items():
        if key in SKIPPED:
            continue
        if isinstance(value, Mapping):
            flat.update(_flat(value, f"{prefix}.{key}"))
        elif not (key == "call" and prefix.endswith((".loss", ".sampler"))):
            flat[f"{prefix}.{key}"] = _hashable(value)
    return flat


def _names(terms: Mapping[str, Mapping[str, Any]], part: str) -> str:
    calls = [shown(term.get(part, {}).get("call", "")) for term in terms.values()]
    return " + ".join(dict.fromkeys(call for call in calls if call))


def _longer(key: str) -> str:
    parts = [part for part in key.split(".") if part not in ("settings", "loss", "objective")]
    return ".".join(parts[-2:])


def _hashable(value: Any) -> Any:
    return tuple(map(_hashable, value)) if isinstance(value, list) else value
