"""The configuration reference, written from ``conf/``: one page a group, one section a file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from option_file import OptionFile, Setting, read_option_files

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
    options = sorted((file for file in files if file.group), key=lambda file: file.group)
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
    return "\n\n".join([f"# {title}", lead, *map(_section, files)]) + "\n"


def _section(file: OptionFile) -> str:
    name = f"{file.group}={file.option}" if file.group else file.option
    parts = [f"## `{name}` {{ #{file.option} }}"]
    if file.introduction:
        # A line that begins with a capital letter begins a sentence, or follows a formula.
        text = "\n".join(marked_up(line) for line in file.introduction)
        parts.append(re.sub(r"\n(?=[A-Z])", "<br>\n", text))
    if file.group and file.defaults:
        parts.append(f"Starts from: {', '.join(f'`{entry}`' for entry in file.defaults)}.")
    if file.settings:
        rows = ["| key | default | meaning |", "|:--|:--|:--|", *map(_row, file.settings)]
        parts.append("\n".join(rows))
    source = "\n".join(f"    {line}".rstrip() for line in file.text.splitlines())
    parts.append(f'??? note "conf/{file.path.as_posix()}"\n\n    ```yaml\n{source}\n    ```')
    return "\n\n".join(parts)


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
