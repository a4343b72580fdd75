"""Arguments: what the user typed after the command, brought into the form that Hydra reads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from ltrgr.errors import LtrgrError
from ltrgr.terminal import UNSAFE

OVERRIDE = re.compile(r"[+~]{0,2}[\w./@:$-]+=|[+~-]")
"""How an override or a flag begins; any other bare argument of ``search`` is a question."""

INFO = {"all", "config", "defaults", "defaults-tree", "plugins", "searchpath"}
TAKE_VALUE = {
    *("--cfg", "-c", "--package", "-p", "--config-path", "-cp", "--config-name", "-cn"),
    *("--config-dir", "-cd", "--experimental-rerun"),
}

SWEEP = {"--multirun", "-m"}
SHOW = {"--cfg", "-c", "--info", "-i"}


class FlagClashError(LtrgrError):
    """Two flags that exclude each other."""


class FlagCharacterError(LtrgrError):
    """A flag holds characters that no flag has, and that argparse would print as they are."""


def hydra_arguments(arguments: Sequence[str]) -> tuple[list[str], list[str], Path | None]:
    """Return the arguments with flags first, the overrides among them, and the ``--config-dir``.

    Flags go first because argparse refuses overrides on both sides of a flag.

    Raises:
        FlagClashError: ``-m`` together with a flag that shows the config of one job.
        FlagCharacterError: a flag with control characters.
    """
    flags, overrides = _split(arguments)
    if odd := [flag for flag in flags if UNSAFE.search(flag)]:
        raise FlagCharacterError(f"{odd[0]!r} is no flag: it holds control characters")
    shows = [f for f in flags if f.split("=")[0] in SHOW]
    if shows and SWEEP & set(flags):
        raise FlagClashError(
            f"{shows[0]} shows the config of one job: drop -m, and give each key one value"
        )
    extra = None
    for flag, value in zip(flags, [*flags[1:], ""], strict=False):
        if flag in {"--config-dir", "-cd"}:
            extra = Path(value)
        elif flag.startswith("--config-dir="):
            extra = Path(flag.partition("=")[2])
    return [*flags, *overrides], overrides, extra


def search_arguments(arguments: Sequence[str]) -> list[str]:
    """Return ``arguments`` with the bare questions rewritten as one ``questions=[...]``.

    >>> search_arguments(["who wrote it?", "k=5"])
    ['k=5', 'questions=["who wrote it?"]']
    """
    flags, bare = _split(arguments)
    questions = [word for word in bare if _is_question(word)]
    rest = [*flags, *(word for word in bare if not _is_question(word))]
    if not questions:
        return rest
    return [*rest, f"questions=[{','.join(quoted(question) for question in questions)}]"]


def _is_question(word: str) -> bool:
    """Anything with a space that is no list or dict of Hydra's, and any word without an ``=``."""
    if not OVERRIDE.match(word):
        return True
    value = word.partition("=")[2]
    return " " in word.strip() and not value.startswith(("[", "{", "'", '"'))


def quoted(text: str) -> str:
    """Return ``text`` as a quoted value of Hydra's override grammar, with single spaces."""
    text = " ".join(text.split())
    # OmegaConf takes the bare marks for a value that is missing
    return '"??? "' if text == "???" else in_quotes(text)


def in_quotes(text: str) -> str:
    """Return ``text``, whatever it holds, as a quoted value of Hydra's override grammar.

    Within double quotes the grammar unescapes a run of backslashes only before a quote; a
    dollar brace would be an interpolation, so its dollar is escaped for OmegaConf.
    """
    text = re.sub(r"(\\*)\$\{", lambda m: m.group(1) * 2 + "\\${", text)
    text = re.sub(r'(\\*)"', lambda m: m.group(1) * 2 + '\\"', text)
    text = re.sub(r"(\\+)$", lambda m: m.group(1) * 2, text)
    return f'"{text}"'


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split into flags (with their values) and bare words, each in order."""
    flags: list[str] = []
    bare: list[str] = []
    words = iter(range(len(arguments)))
    for i in words:
        word = arguments[i]
        following = arguments[i + 1] if i + 1 < len(arguments) else None
        if not word.startswith("-"):
            bare.append(word)
            continue
        flags.append(word)
        takes = word in TAKE_VALUE or (word in {"--info", "-i"} and following in INFO)
        if takes and following is not None:
            flags.append(following)
            next(words)
    return flags, bare
