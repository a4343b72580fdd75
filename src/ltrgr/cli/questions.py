"""Questions: which words after ``ltrgr search`` are asked, and which of them are settings."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from ltrgr.cli.arguments import extra_directory, quoted, split
from ltrgr.cli.renamed import new_name
from ltrgr.cli.suggestions import groups, valid_names

FLAGS = {
    *("--help", "-h", "--hydra-help", "--version", "--cfg", "-c", "--resolve", "--package", "-p"),
    *("--run", "-r", "--multirun", "-m", "--config-path", "-cp", "--config-name", "-cn"),
    *("--config-dir", "-cd", "--experimental-rerun", "--info", "-i"),
}
"""Hydra's own; tests compare them with its parser"""

FLAG = re.compile(r"--?[A-Za-z][\w-]*(=\S*)?")
"""how any flag looks, also one that Hydra does not have and refuses"""

SETTING = re.compile(r"(?P<prefix>[+~]{0,2})(?P<key>[\w./$-]+)(@[\w./$:-]*)?(?P<equals>=?)")
"""how an override begins; whether it is one depends on its key"""

HYDRA_GROUP = "hydra/"
"""how the names of Hydra's own groups begin (``hydra/launcher``)"""

NamesOf = Callable[[Sequence[str]], Collection[str]]
"""overrides -> the keys and groups of the config that is composed with them"""


@dataclass(frozen=True, slots=True)
class SearchWords:
    """The words after ``ltrgr search``."""

    arguments: list[str]
    """flags and overrides for Hydra, the questions among them as ``questions=[...]``"""
    hints: list[str]
    """one line for each question that resembles an override"""


def search_words(arguments: Sequence[str], *, conf: Path) -> SearchWords:
    """Sort the words by the config in ``conf``, and in the ``--config-dir`` that they may name."""
    extra = extra_directory(split(arguments, is_flag=is_flag)[0])

    def names_of(overrides: Sequence[str]) -> list[str]:
        of_extra = [] if extra is None else groups(extra)
        names = valid_names(
            conf=conf, extra=extra, command="search", overrides=overrides, with_hydra=True
        )
        return [*names, *of_extra]

    return sort_words(arguments, names_of=names_of)


def sort_words(arguments: Sequence[str], *, names_of: NamesOf) -> SearchWords:
    """Separate questions from overrides: ``KEY=...`` is an override exactly where the composed
    config has KEY, as a key or a group. What follows ``--`` is a question.

    >>> sort_words(["who wrote it?", "k=5", "E=mc2"], names_of=lambda chosen: ["k"]).arguments
    ['k=5', 'questions=["who wrote it?","E=mc2"]']
    """
    options, asked = _at_double_dash(arguments)
    flags, bare = split(options, is_flag=is_flag)
    names: Collection[str] = ()
    if any(_may_be_setting(word) for word in bare):
        defaults = names_of([])
        # an option of a group brings keys of its own
        chosen = [word for word in bare if is_setting(word, defaults)]
        names = names_of(chosen) if chosen else defaults
    settings = [word for word in bare if is_setting(word, names)]
    questions = [word for word in bare if not is_setting(word, names)] + asked
    rest = [*flags, *settings]
    if questions:
        rest.append(f"questions=[{','.join(quoted(question) for question in questions)}]")
    hints = [_hint(word, names) for word in bare if not is_setting(word, names)]
    return SearchWords(rest, [hint for hint in hints if hint is not None])


def is_flag(word: str) -> bool:
    """Whether a word that begins with a dash is a flag, and no question such as ``-40 degrees?``"""
    return word.partition("=")[0] in FLAGS or FLAG.fullmatch(word) is not None


def is_setting(word: str, names: Collection[str]) -> bool:
    """Whether ``word`` sets, adds (``+``) or deletes (``~``) something of the config.

    >>> [is_setting(word, ["loss.margin", "loss"]) for word in ("loss.margin=2", "+loss.new=1")]
    [True, True]
    >>> [is_setting(word, ["loss.margin", "loss"]) for word in ("~loss", "a=2", "loss", "+a=2")]
    [True, False, False, False]
    """
    found = SETTING.match(word)
    if found is None or not _may_be_setting(word):
        return False
    key = found["key"]
    if key in names or key.startswith(HYDRA_GROUP):
        return True
    return found["prefix"].startswith("+") and key.rpartition(".")[0] in names


def _may_be_setting(word: str) -> bool:
    found = SETTING.match(word)
    if found is None:
        return False
    deleted = found["prefix"].startswith("~") and found.end() == len(word)
    return bool(found["equals"]) or deleted


def _at_double_dash(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    words = list(arguments)
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at + 1 :]


def _hint(word: str, names: Collection[str]) -> str | None:
    """What to tell of a question that looks like an override with a misspelt key."""
    found = SETTING.match(word)
    if found is None or not found["equals"] or len(word.split()) != 1:
        return None
    key = found["key"]
    new = new_name(key, names)
    close = [new] if new is not None else get_close_matches(key, list(names), n=1, cutoff=0.75)
    return f"{word} is read as a question; did you mean {close[0]}=?" if close else None
