"""One file of ``conf/`` as the reference shows it: its keys, their values and their comments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

PACKAGE = "# @package "
"""begins the line that says where the keys of a file stand, if not under the file's group"""

BASES = "base"
"""the folder of a group with what several of its options start from; no option itself"""


@dataclass(frozen=True)
class Setting:
    """One key of a file."""

    key: str
    """the whole name, as an override has it: ``loss.margin``"""
    default: str
    """the value as it stands in the file"""
    comment: str
    """the words beside or above it; "" without any"""


@dataclass(frozen=True)
class OptionFile:
    """A YAML file in ``conf``. ``path`` is relative to that folder: ``loss/ltrgr.yaml``."""

    path: Path
    text: str

    @property
    def group(self) -> str:
        """The group that the file belongs to: ``loss``; "" for the files at the top."""
        folder = self.path.parent.parent if self.is_base else self.path.parent
        return "" if folder == Path() else folder.as_posix()

    @property
    def option(self) -> str:
        """The name that chooses the file, ``ltrgr`` of ``loss=ltrgr``; or that a defaults list
        has for a base, ``base/objective``."""
        return f"{BASES}/{self.path.stem}" if self.is_base else self.path.stem

    @property
    def is_base(self) -> bool:
        """Whether options start from the file, and nobody chooses it."""
        return self.path.parent.name == BASES

    @cached_property
    def introduction(self) -> list[str]:
        """The comment lines at the top, without their ``#``."""
        lines = []
        for line in self.text.splitlines():
            if not line.startswith("#"):
                break
            if not line.startswith(PACKAGE):
                lines.append(line.removeprefix("#").strip())
        return lines

    @cached_property
    def defaults(self) -> list[str]:
        """The entries of the defaults list but ``_self_``: ``lm_fm``, ``corpus: demo``."""
        entries = (yaml.safe_load(self.text) or {}).get("defaults", [])
        return [_entry(entry) for entry in entries if entry != "_self_"]

    @property
    def package(self) -> str:
        """What the names of the file's keys begin with; "" for nothing."""
        first = self.text.partition("\n")[0]
        if first.startswith(PACKAGE):
            return first.removeprefix(PACKAGE).strip().replace("_global_", "")
        return self.group.replace("/", ".")

    @cached_property
    def settings(self) -> list[Setting]:
        """Every key with a value, but the defaults list and the names that Hydra reserves."""
        prefix = f"{self.package}." if self.package else ""
        root = yaml.compose(self.text)
        found = self._below(root, prefix) if root is not None else ()
        return [setting for setting in found if setting.key != f"{prefix}defaults"]

    def _below(self, node: yaml.MappingNode, prefix: str) -> Iterator[Setting]:
        for key, value in node.value:
            name = f"{prefix}{key.value}"
            if name == "hydra.help" or key.value.startswith("_"):
                continue
            if isinstance(value, yaml.MappingNode) and not value.flow_style:
                yield from self._below(value, f"{name}.")
            else:
                comment = self._comments.get(key.start_mark.line, "")
                yield Setting(name, self._written(value), comment)

    def _written(self, value: yaml.Node) -> str:
        if isinstance(value, yaml.SequenceNode) and not value.flow_style:
            return f"a list of {len(value.value)}: see the file"
        text = self.text[value.start_mark.index : value.end_mark.index]
        return " ".join(text.split())

    @cached_property
    def _comments(self) -> dict[int, str]:
        """line of a key -> its comment: the lines above it, the words beside it, and those below
        which begin in the column of the words beside it."""
        ends = {m.line: m.column for m in (t.end_mark for t in yaml.scan(self.text)) if m.column}
        lines = self.text.splitlines()
        comments: dict[int, str] = {}
        above: list[str] = []
        beside: tuple[int, int] | None = None  # line and column of the last comment beside a value
        first = next((n for n, line in enumerate(lines) if not line.startswith("#")), 0)
        for number, line in enumerate(lines[first:], start=first):
            start = line.find("#", ends.get(number, 0))
            words = line[start + 1 :].strip() if start >= 0 else ""
            if number in ends:
                comments[number] = " ".join([*above, words]).strip()
                beside, above = ((number, start) if words else None), []
            elif words and beside is not None and start == beside[1]:
                comments[beside[0]] += f" {words}"
            else:
                beside, above = None, [*above, words] if words else []
        return comments


def read_option_files(conf: Path) -> list[OptionFile]:
    """Every YAML file below ``conf``, by path."""
    paths = sorted(conf.rglob("*.yaml"))
    return [OptionFile(path.relative_to(conf), path.read_text("utf-8")) for path in paths]


def _entry(entry: str | dict[str, str | None]) -> str:
    if isinstance(entry, str):
        return entry
    (group, option), *_ = entry.items()
    return f"{group}: {'null' if option is None else option}"
