"""Shell completion: verbs by ourselves, everything after the verb by Hydra's own plugins."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from ltrgr.cli.errors import MISUSED, OK

SHELLS = ("bash", "zsh", "fish")


def complete(arguments: Sequence[str], *, verbs: Sequence[str], conf: Path) -> int:
    """Answer ``ltrgr -sc install=bash`` (prints the script) and ``query=bash`` (candidates).

    The shell sets ``COMP_LINE`` (and ``COMP_POINT``) to the whole line, ``ltrgr rank loss.``.
    """
    words = [word for word in arguments if re.fullmatch(r"(install|uninstall|query)=\w+", word)]
    command, _, shell = words[0].partition("=") if len(words) == 1 else ("", "", "")
    if shell not in SHELLS:
        print(f"expected install=, uninstall= or query= with {SHELLS}", file=sys.stderr)
        return MISUSED
    line = os.environ.get("COMP_LINE", "")
    point = int(os.environ.get("COMP_POINT") or len(line))
    verb, shorter, removed = split_line(line)
    if command == "query" and verb is None:
        print((" " if shell != "fish" else "\n").join(candidates(line, verbs)))
        return OK
    if command == "query":
        if verb not in verbs:
            return OK
        os.environ["COMP_LINE"] = shorter
        os.environ["COMP_POINT"] = str(max(0, point - removed))
    _hydra_completion(f"{command}={shell}", conf=conf, verb=verb or verbs[0])
    return OK


def split_line(line: str) -> tuple[str | None, str, int]:
    """Return the verb, the line without it, and the characters removed.

    The verb is None while it is still being typed (nothing follows it).

    >>> split_line("ltrgr rank loss.")
    ('rank', 'ltrgr loss.', 5)
    """
    match = re.match(r"(\s*\S+\s+)(\S+\s+)(.*)", line, flags=re.DOTALL)
    if match is None:
        return None, line, 0
    program, verb, rest = match.groups()
    return verb.strip(), program + rest, len(verb)


def candidates(line: str, verbs: Sequence[str]) -> list[str]:
    """Return the verbs that begin with the word being typed."""
    word = "" if line.endswith(" ") else " ".join(line.split()[1:])
    return [verb for verb in verbs if verb.startswith(word)]


def _hydra_completion(request: str, *, conf: Path, verb: str) -> None:
    from hydra import main as hydra_main

    before, sys.argv = sys.argv, ["ltrgr", "-sc", request]
    try:
        hydra_main(version_base="1.3", config_path=str(conf), config_name=verb)(_never)()
    finally:
        sys.argv = before


def _never(_: object) -> None:
    raise AssertionError("a completion query runs no verb")
