"""The house: a room imports only from rooms below it, and no import runs back up."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import ltrgr

HOUSE = Path(ltrgr.__file__).parent


def test_no_import_runs_back_up() -> None:
    """The order of the rooms follows from their imports; a circle raises graphlib's CycleError."""
    rooms: dict[str, set[str]] = {}
    for path in HOUSE.rglob("*.py"):
        room = path.relative_to(HOUSE).with_suffix("").parts[0]
        if room not in ("__init__", "__main__"):
            rooms.setdefault(room, set()).update(set(_rooms_of(path)) - {room})
    order = list(TopologicalSorter(rooms).static_order())
    assert order[-1] == "cli"
    assert rooms["errors"] == rooms["csr"] == rooms["lazy"] == rooms["compiled"] == set()
    assert rooms["json_file"] | rooms["typed"] == {"errors"}
    foundations = {"compiled", "csr", "disk", "errors", "json_file", "typed"}
    assert rooms["corpus"] | rooms["index"] <= foundations
    assert rooms["moved"] == set()
    assert rooms["losses"] == {"lazy"}


def test_only_the_cli_sees_hydra() -> None:
    seeing = {
        path.relative_to(HOUSE).parts[0]
        for path in HOUSE.rglob("*.py")
        if {"hydra", "omegaconf"} & {name.split(".")[0] for name in _imports(path)}
    }
    assert seeing == {"cli"}


def test_every_error_of_ours_has_the_one_base() -> None:
    """The command line prints an LtrgrError without a traceback, and nothing else of ours."""
    nodes = [node for path in HOUSE.rglob("*.py") for node in ast.walk(ast.parse(path.read_text()))]
    errors = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for node in nodes
        if isinstance(node, ast.ClassDef) and node.name.endswith("Error")
    }
    assert errors.pop("LtrgrError") == {"ValueError"}
    assert [name for name, bases in errors.items() if not bases & {"LtrgrError", *errors}] == []


def _rooms_of(path: Path) -> Iterator[str]:
    for name in _imports(path):
        parts = name.split(".")
        if parts[0] == "ltrgr" and len(parts) > 1:
            yield parts[1]


def _imports(path: Path) -> Iterator[str]:
    """Every module that a file names in an import, those inside functions included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
