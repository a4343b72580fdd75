"""The configuration reference, written from ``conf/``: one page a group, one section a file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from option_file import BASES, OptionFile, Setting, read_option_files

COMMON = "base"
"""the file of the settings that all commands share"""

LINKED = {
    r"\b(\d{4}\.\d{5})\b": r"https://arxiv.org/abs/\1",
    r"\b(docs/[\w/]+\.md|experiments/\w+)\b": r"\1",
}
"""what a comment names -> where the link leads, from the root of the repository"""


def configuration_pages(conf: Path) -> dict[str, str]:
    """Page name -> Markdown; links are relative to the root of the repository."""
    files = read_option_files(conf)
    chosen = {
        key.lstrip("/"): name
        for key, _, name in (entry.partition(": ") for f in files for entry in f.defaults)
        if name and "override " not in key
    }
    top = [file for file in files if not file.group]
    pages = {
        "common": _page(
            "Settings of all commands",
            "Every command reads these, and those of the group "
            "[training](docs/configuration/training.md).",
            [file for file in top if file.option == COMMON],
        ),
        "commands": _page(
            "Settings of one command",
            "`ltrgr COMMAND --help` prints the same. A command without a table has no own setting.",
            [file for file in top if file.option != COMMON],
        ),
    }
    options = sorted((f for f in files if f.group), key=lambda f: (f.group, f.is_base))
    for group, members in groupby(options, key=lambda file: file.group):
        pages[group.replace("/", "_")] = _page(
            f"Group {group}", _choice(group, chosen), list(members)
        )
    return pages


def _choice(group: str, chosen: Mapping[str, str]) -> str:
    places = {key: name for key, name in chosen.items() if key.partition("@")[0] == group}
    default = next(iter(places.values()), "null")
    usual = "Without it, none is chosen." if default == "null" else f"The default is `{default}`."
    given = " or ".join(f"`{key}=NAME`" for key in places or [group])
    return f"{given} chooses one of these files. {usual}"


def _page(title: str, lead: str, files: Sequence[OptionFile]) -> str:
    bases = {file.path: file for file in files if file.is_base}
    return "\n\n".join([f"# {title}", lead, *(_section(f, bases) for f in files)]) + "\n"


def _section(file: OptionFile, bases: Mapping[Path, OptionFile]) -> str:
    chosen = file.group and not file.is_base
    name = f"{file.group}={file.option}" if chosen else file.option
    parts = [f"## `{name}` {{ #{_anchor(file.option)} }}"]
    if file.is_base:
        parts.append("No option: what options of this page start from.")
    if file.introduction:
        # A line that begins with a capital letter begins a sentence, or follows a formula.
        text = "\n".join(marked_up(line) for line in file.introduction)
        parts.append(re.sub(r"\n(?=[A-Z])", "<br>\n", text))
    if file.group and file.defaults:
        parts.append(f"Starts from: {', '.join(_start(entry) for entry in file.defaults)}.")
    if settings := _settings(file, bases):
        rows = ["| key | default | meaning |", "|:--|:--|:--|", *map(_row, settings)]
        parts.append("\n".join(rows))
    source = "\n".join(f"    {line}".rstrip() for line in file.text.splitlines())
    parts.append(f'??? note "conf/{file.path.as_posix()}"\n\n    ```yaml\n{source}\n    ```')
    return "\n\n".join(parts)


def _settings(file: OptionFile, bases: Mapping[Path, OptionFile]) -> list[Setting]:
    """The settings of a file, then those of its bases that it leaves as they are."""
    found = {setting.key: setting for setting in file.settings}
    for entry in file.defaults:
        if base := bases.get(file.path.parent / f"{entry}.yaml"):
            found = {**{setting.key: setting for setting in _settings(base, bases)}, **found}
    own = [setting.key for setting in file.settings]
    return [found[key] for key in [*own, *(key for key in found if key not in own)]]


def _start(entry: str) -> str:
    return f"[`{entry}`](#{_anchor(entry)})" if entry.startswith(f"{BASES}/") else f"`{entry}`"


def _anchor(option: str) -> str:
    return option.replace("/", "-")


def _row(setting: Setting) -> str:
    default = "must be set" if setting.default == "???" else _code(setting.default)
    return f"| {_code(setting.key)} | {default} | {marked_up(setting.comment)} |"


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "&#124;")


def marked_up(comment: str) -> str:
    """A comment as Markdown: links where it names a paper or a page, its signs as they stand."""
    parts = re.split(r"(`[^`]*`)", comment)
    return "".join(part if part.startswith("`") else _linked(part) for part in parts)


def _linked(text: str) -> str:
    text = re.sub(r"([\\*\[\]|])", r"\\\1", text).replace("<", "&lt;")
    for pattern, target in LINKED.items():
        text = re.sub(pattern, rf"[\g<0>]({target})", text)
    return text
