"""Arguments: what the user typed after the command, brought into the form that Hydra reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from ltrgr.errors import LtrgrError
from ltrgr.terminal import UNSAFE

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
    flags, overrides = split(arguments)
    if odd := [flag for flag in flags if UNSAFE.search(flag)]:
        raise FlagCharacterError(f"{odd[0]!r} is no flag: it holds control characters")
    shows = [f for f in flags if f.split("=")[0] in SHOW]
    if shows and SWEEP & set(flags):
        raise FlagClashError(
            f"{shows[0]} shows the config of one job: drop -m, and give each key one value"
        )
    return [*flags, *overrides], overrides, extra_directory(flags)


def extra_directory(flags: Sequence[str]) -> Path | None:
    """The folder of the user's own config files, which ``--config-dir`` names."""
    extra = None
    for flag, value in zip(flags, [*flags[1:], ""], strict=False):
        if flag in {"--config-dir", "-cd"}:
            extra = Path(value)
        elif flag.startswith("--config-dir="):
            extra = Path(flag.partition("=")[2])
    return extra


def with_runs(arguments: Sequence[str]) -> list[str]:
    """The arguments of ``ltrgr compare``, the folders among them as one ``runs=[...]``.

    >>> with_runs(["runs/evaluate/a", "metric=hits@5", "b"])
    ['metric=hits@5', 'runs=["runs/evaluate/a","b"]']
    """
    flags, bare = split(arguments)
    folders = [word for word in bare if "=" not in word or Path(word).is_dir()]
    rest = [*flags, *(word for word in bare if word not in folders)]
    if not folders:
        return rest
    return [*rest, f"runs=[{','.join(in_quotes(folder) for folder in folders)}]"]


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


def starts_with_dash(word: str) -> bool:
    """What argparse may take for a flag."""
    return word.startswith("-")


def split(
    arguments: Sequence[str], *, is_flag: Callable[[str], bool] = starts_with_dash
) -> tuple[list[str], list[str]]:
    """Split into flags (with their values) and bare words, each in order."""
    flags: list[str] = []
    bare: list[str] = []
    words = iter(range(len(arguments)))
    for i in words:
        word = arguments[i]
        following = arguments[i + 1] if i + 1 < len(arguments) else None
        if not is_flag(word):
            bare.append(word)
            continue
        flags.append(word)
        takes = word in TAKE_VALUE or (word in {"--info", "-i"} and following in INFO)
        if takes and following is not None:
            flags.append(following)
            next(words)
    return flags, bare
