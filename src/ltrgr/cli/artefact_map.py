"""Map of the artefacts: which folder is which, for ``ltrgr doctor``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.tree import Tree

from ltrgr.pipeline.catalogue import Entry, catalogue, children, differences
from ltrgr.report.console import plain, styled

SHOWN = 4
"""differing settings shown of one artefact"""

COLOURS = {"done": "green", "begun": "yellow", "broken": "red", "unreadable": "magenta"}


def artefact_map(root: Path, *, usual: Mapping[str, Mapping[str, Any]]) -> Tree | None:
    """A branch for each artefact below ``root``, under what it was made from; None for none.

    Args:
        usual: stage -> inputs that the present config gives it; only what differs is shown.
    """
    entries = catalogue(root)
    tree = Tree(plain(root, "bold"), guide_style="dim")
    _grow(tree, None, entries, usual=usual)
    return tree if entries else None


def _grow(
    tree: Tree,
    parent: Entry | None,
    entries: Sequence[Entry],
    *,
    usual: Mapping[str, Mapping[str, Any]],
) -> None:
    for entry in children(parent, entries):
        label = styled(
            (f"{entry.stage}/{entry.path.name}  ", "bold"),
            (f"{entry.state}  ", COLOURS[entry.state]),
            (_what(entry, usual=usual.get(entry.stage, {})), "not bold"),
            (f"  {entry.size / 1e6:.1f} MB, {age(entry.age)} old", "not bold dim"),
        )
        # What was set aside has the same name as what replaced it, and no offspring of its own.
        branch = tree.add(label)
        if entry.state != "broken":
            _grow(branch, entry, entries, usual=usual)


def age(seconds: float) -> str:
    """Return a time span in its largest unit.

    >>> [age(s) for s in (30, 90, 7200, 200_000)]
    ['30 s', '1 min', '2 h', '2 d']
    """
    sizes = {"d": 86400, "h": 3600, "min": 60}
    unit = next((unit for unit, size in sizes.items() if seconds >= size), "s")
    return f"{int(seconds // sizes.get(unit, 1))} {unit}"


def _what(entry: Entry, *, usual: Mapping[str, Any]) -> str:
    seed = _mapping(entry.inputs.get("settings")).get("seed")
    parts = [
        str(entry.inputs.get("system", "")),
        "+".join(_mapping(entry.inputs.get("views"))),
        _model(_mapping(entry.inputs.get("network"))),
        "" if seed is None else f"seed {seed}",
    ]
    own = ("network.", "views.", "seed=")
    unlike = [one for one in differences(entry, usual) if not one.startswith(own)]
    more = f"and {len(unlike) - SHOWN} more" if len(unlike) > SHOWN else ""
    return ", ".join(part for part in (*parts, " ".join(unlike[:SHOWN]), more) if part)


def _mapping(value: Any) -> Mapping[str, Any]:
    """``value`` where it is one; a damaged config.yaml may hold anything."""
    return value if isinstance(value, Mapping) else {}


def _model(network: Mapping[str, Any]) -> str:
    """``bart_from_scratch 128x2``, or the checkpoint's own name."""
    if not network:
        return ""
    if "checkpoint" in network:
        return Path(str(network["checkpoint"])).name
    shape = "x".join(str(network[k]) for k in ("width", "layers") if k in network)
    return f"{str(network.get('call', '')).rpartition(':')[2]} {shape}".strip()
