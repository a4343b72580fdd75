"""Shell completion: commands by ourselves, everything after the command by Hydra's own plugins."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path

from ltrgr.cli.errors import MISUSED, OK
from ltrgr.cli.suggestions import BASES
from ltrgr.terminal import print_error, visible

SHELLS = ("bash", "zsh", "fish")


def complete(arguments: Sequence[str], *, commands: Sequence[str], conf: Path) -> int:
    """Answer ``ltrgr -sc install=bash`` (prints the script) and ``query=bash`` (candidates).

    The shell sets ``COMP_LINE`` (and ``COMP_POINT``) to the whole line, ``ltrgr rank loss.``.
    """
    words = [word for word in arguments if re.fullmatch(r"(install|uninstall|query)=\w+", word)]
    request, _, shell = words[0].partition("=") if len(words) == 1 else ("", "", "")
    if shell not in SHELLS:
        print_error(f"expected install=, uninstall= or query= with {SHELLS}")
        return MISUSED
    line = os.environ.get("COMP_LINE", "")
    point = int(os.environ.get("COMP_POINT") or len(line))
    command, shorter, removed = split_line(line)
    if request == "query" and command is None:
        print(visible((" " if shell != "fish" else "\n").join(candidates(line, commands))))
        return OK
    if request == "query":
        if command is None or command not in commands:
            return OK
        os.environ["COMP_LINE"] = shorter
        os.environ["COMP_POINT"] = str(max(0, point - removed))
        print(visible(_hydra_candidates(shell, conf=conf, command=command)))
        return OK
    _hydra_completion(f"{request}={shell}", conf=conf, command=command or commands[0])
    return OK


def split_line(line: str) -> tuple[str | None, str, int]:
    """Return the command, the line without it, and the characters removed.

    The command is None while it is still being typed (nothing follows it).

    >>> split_line("ltrgr rank loss.")
    ('rank', 'ltrgr loss.', 5)
    """
    match = re.match(r"(\s*\S+\s+)(\S+\s+)(.*)", line, flags=re.DOTALL)
    if match is None:
        return None, line, 0
    program, command, rest = match.groups()
    return command.strip(), program + rest, len(command)


def candidates(line: str, commands: Sequence[str]) -> list[str]:
    """Return the commands that begin with the word being typed."""
    word = "" if line.endswith(" ") else " ".join(line.split()[1:])
    return [command for command in commands if command.startswith(word)]


def _hydra_candidates(shell: str, *, conf: Path, command: str) -> str:
    """What Hydra offers in this shell, without the bases of options."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        _hydra_completion(f"query={shell}", conf=conf, command=command)
    return re.sub(r"[^ \n]+", partial(_without_bases, conf=conf), printed.getvalue()).strip()


def _hydra_completion(request: str, *, conf: Path, command: str) -> None:
    from hydra import main as hydra_main

    before, sys.argv = sys.argv, ["ltrgr", "-sc", request]
    try:
        hydra_main(version_base="1.3", config_path=str(conf), config_name=command)(_never)()
    finally:
        sys.argv = before


def _without_bases(candidate: re.Match[str], *, conf: Path) -> str:
    """The candidate, or nothing if it leads to a group's bases, which are no choices.

    Hydra offers ``loss`` for a group that has a folder of its own, and ``loss=`` for the others.
    """
    word = candidate[0]
    if word.partition("=")[0].endswith(f"/{BASES}"):
        return ""
    return f"{word}=" if (conf / word.lstrip("+") / BASES).is_dir() else word


def _never(_: object) -> None:
    raise AssertionError("a completion query runs no command")
