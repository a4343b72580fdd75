"""Suggestions: the nearest valid names for a name that a config does not know."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ltrgr.cli.renamed import new_name

UNKNOWN_KEY = re.compile(r"Could not override '([^']+)'")
NOT_IN = re.compile(r"Key '([^']+)' is not in struct")
ANOTHER_COMMANDS = re.compile(r"Interpolation key '(\w+)\.[^']*' not found")
BASES = "base"
"""The folder of a group that holds what several of its options start from; no option itself."""
EXTRAS = {"submitit": 'pip install -e ".[slurm]"'}
"""What installs the options of Hydra's plug-ins, by how their names begin."""


def nearest(word: str, candidates: Iterable[str], *, n: int = 3) -> list[str]:
    """Return up to ``n`` of ``candidates``, likeliest first.

    First those under the word's own parents whose last part is similar; then those whose last
    part is the word's (a wrong parent), then those whose last part contains it, then those whose
    last part, and at last whose whole, is similar.

    >>> nearest("loss.margn", ["loss.margin", "loss.weight", "seed"])
    ['loss.margin']
    >>> nearest("margin", ["loss.margin", "seed"])
    ['loss.margin']
    >>> nearest("rank.stepz", ["mine.steps", "rank.steps"])
    ['rank.steps', 'mine.steps']
    """
    pool = sorted(set(candidates))
    last = _last(word)
    same_end = [name for name in pool if _last(name) == last]
    close = difflib.get_close_matches(word, pool, n=n, cutoff=0.6)
    by_end: dict[str, list[str]] = {}
    for name in pool:
        by_end.setdefault(_last(name), []).append(name)
    close_end = [
        name
        for end in difflib.get_close_matches(last, by_end, n=n, cutoff=0.75)
        for name in by_end[end]
    ]
    siblings = [name for name in close_end if _parents(name) == _parents(word) and _parents(word)]
    containing = [name for name in pool if len(last) > 2 and last in _last(name)]
    return list(dict.fromkeys(siblings + same_end + containing + close_end + close))[:n]


def did_you_mean(names: Sequence[str]) -> str:
    """Return ``Did you mean a, b or c?``, or nothing for no names."""
    if not names:
        return ""
    head = ", ".join(names[:-1])
    return f"Did you mean {f'{head} or {names[-1]}' if head else names[-1]}?"


def explain(
    error: Exception, *, conf: Path, extra: Path | None, command: str, overrides: Sequence[str]
) -> str:
    """Return a composition error's text with the nearest valid names.

    ``conf`` is the primary config directory, ``extra`` the ``--config-dir``, ``overrides`` what
    the user typed; the valid keys are those of the config composed without the faulty override.
    """
    from hydra.errors import MissingConfigException

    if isinstance(error, MissingConfigException) and error.missing_cfg_file and error.options:
        group, _, name = error.missing_cfg_file.rpartition("/")
        options = sorted(error.options)
        hint = did_you_mean(nearest(name, options))
        if extra_of := EXTRAS.get(name.partition("_")[0]):
            hint = f"It comes with: {extra_of}."
        return f"{group} has no option {name!r}. {hint} Valid options: {', '.join(options)}."
    message = str(error).split("\nConfig search path:")[0].strip()
    cause = f"\n{error.__cause__}" if error.__cause__ else ""
    another = ANOTHER_COMMANDS.search(message)
    if another and another[1] != command and (conf / f"{another[1]}.yaml").is_file():
        return (
            f"this experiment is for another command; run: ltrgr {another[1]} {' '.join(overrides)}"
        )
    unknown = UNKNOWN_KEY.search(message)
    if unknown is None:
        return f"{message}{cause}".strip()
    key = unknown.group(1)
    rest = [override for override in overrides if not _names(override, key)]
    keys = valid_names(conf=conf, extra=extra, command=command, overrides=rest)
    if (new := new_name(key, keys)) is not None:
        return f"{key} is now {new}"
    if key in keys and (inner := NOT_IN.search(message + cause)) is not None:
        return f"{key} has no key {inner[1]!r} yet; to add it: +{key}.{inner[1]}=..."
    hint = did_you_mean(nearest(key, keys)) or f"See all of them: ltrgr {command} --cfg job"
    return f"{key!r} is not a key of this config. {hint}\n(To add a new key on purpose: +{key}=...)"


def valid_names(
    *,
    conf: Path,
    extra: Path | None,
    command: str,
    overrides: Sequence[str],
    with_hydra: bool = False,
) -> list[str]:
    """Return the groups and dotted keys of the composed config (defaults, if that fails).

    Args:
        with_hydra: also the keys of Hydra's own section.
    """
    from hydra import compose, initialize_config_dir
    from hydra.errors import HydraException

    search = [] if extra is None else [f"hydra.searchpath=[file://{extra.resolve()}]"]
    with initialize_config_dir(config_dir=str(conf), version_base="1.3"):
        for attempt in ([*search, *overrides], search):
            try:
                cfg = compose(command, overrides=attempt, return_hydra_config=with_hydra)
            except HydraException:
                continue
            return [*groups(conf), *dotted_keys(cfg)]
    return groups(conf)


def groups(conf: Path) -> list[str]:
    """Return the config groups: the folders of ``conf`` that hold options."""
    folders = {path.parent.relative_to(conf) for path in conf.glob("*/**/*.yaml")}
    return sorted(folder.as_posix() for folder in folders if folder.name != BASES)


def dotted_keys(cfg: Any) -> list[str]:
    """Return every key of a DictConfig by its dotted path, sections included."""
    from omegaconf import DictConfig

    found = []
    for key in cfg:
        found.append(str(key))
        node = cfg._get_node(key)
        if isinstance(node, DictConfig) and not (node._is_none() or node._is_interpolation()):
            found += [f"{key}.{inner}" for inner in dotted_keys(node)]
    return found


def _last(name: str) -> str:
    return re.split(r"[./]", name)[-1]


def _parents(name: str) -> str:
    return name[: -len(_last(name))]


def _names(override: str, key: str) -> bool:
    return override.lstrip("+~").split("=")[0].split("@")[0] == key
