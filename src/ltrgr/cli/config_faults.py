"""Every value of a composed config against what it may be, before anything is built or run."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from hydra.utils import get_object
from omegaconf import OmegaConf

from ltrgr.cli.assembly import SECTIONS
from ltrgr.cli.command_settings import COMMAND_SETTINGS, EVERY
from ltrgr.cli.suggestions import did_you_mean, nearest
from ltrgr.training.optimization import OPTIMIZER_RANGES
from ltrgr.typed import annotations_of, faults, misfits, refuse, shown

TARGET = "_target_"
KEY = re.compile(r"^[\w.-]+")
"""with which each line begins"""
INTERPOLATION = re.compile(r"\$\{([\w.]+)\}")
"""of one other key, as it is"""


def expect_config(cfg: Any, *, command: str) -> None:
    """Check the config of ``command``: its own settings, and all that a ``_target_`` of ours takes.

    Raises:
        SettingsError: with one line for each value that does not fit, by its key in the config.
    """
    plain: Any = OmegaConf.to_container(cfg, resolve=True)
    found = [*command_faults(plain, command=command), *section_faults(plain)]
    refuse([KEY.sub(lambda key: _origin(cfg, key[0]), line, count=1) for line in found])


def command_faults(plain: Mapping[str, Any], *, command: str) -> Iterator[str]:
    """One line for each setting of the command itself that does not fit."""
    for key, annotation in {**EVERY, **COMMAND_SETTINGS.get(command, {})}.items():
        section, _, name = key.rpartition(".")
        settings = plain.get(section, {}) if section else plain
        if not isinstance(settings, Mapping):
            yield _no_section(section, settings)
        elif name in settings:
            yield from misfits(key, annotation, settings[name])


def section_faults(plain: Mapping[str, Any]) -> Iterator[str]:
    """One line for each value of the pipeline's sections that does not fit."""
    for section in [name for name in plain if name in {*SECTIONS.values(), "model"}]:
        if isinstance(plain[section], Mapping):
            yield from _node_faults(section, plain[section])
        else:
            yield _no_section(section, plain[section])


def _no_section(name: str, value: Any) -> str:
    return (
        f"{name}={shown(value)}: expected a section of settings; set those in it, such as "
        f"{name}.NAME=VALUE"
    )


def _node_faults(place: str, node: Any) -> Iterator[str]:
    """The faults of a part of the config, and of all that lies in it."""
    if isinstance(node, list):
        for number, item in enumerate(node):
            yield from _node_faults(f"{place}[{number}]", item)
    if not isinstance(node, Mapping):
        return
    arguments = {name: value for name, value in node.items() if not str(name).startswith("_")}
    if TARGET in node:
        yield from _target_faults(place, node[TARGET], arguments)
    for name, value in arguments.items():
        yield from _node_faults(f"{place}.{name}", value)


def _target_faults(place: str, target: Any, arguments: Mapping[str, Any]) -> Iterator[str]:
    if not isinstance(target, str) or not target.startswith(("ltrgr.", "torch.optim.")):
        return  # a function of the user's own
    try:
        called = get_object(target)
    except Exception:
        return  # building it says what is missing (`unimportable`)
    names = _parameters(called)
    if names is not None:
        for name in arguments.keys() - names:
            hint = did_you_mean(nearest(name, names)) or f"It takes {', '.join(sorted(names))}."
            yield f"{place}.{name} is not a setting of {target}. {hint}"
    plain = {name: value for name, value in arguments.items() if not _holds_target(value)}
    if target.startswith("ltrgr."):
        yield from faults(place, annotations_of(called), plain)
    else:
        yield from faults(place, OPTIMIZER_RANGES, plain)


def _holds_target(value: Any) -> bool:
    """Whether something else than plain data is made of ``value``."""
    if isinstance(value, Mapping):
        return TARGET in value or any(map(_holds_target, value.values()))
    return isinstance(value, list) and any(map(_holds_target, value))


def _origin(cfg: Any, key: str) -> str:
    """The key that a value comes from, through the interpolations of the config: what to change.

    ``rank.objective.terms.rank1.loss.margin`` comes from ``loss.margin``.
    """
    names = key.split(".")
    for last in range(1, len(names) + 1):
        parent = OmegaConf.select(cfg, ".".join(names[: last - 1])) if last > 1 else cfg
        raw = OmegaConf.to_container(parent, resolve=False) if OmegaConf.is_config(parent) else None
        value = raw.get(names[last - 1]) if isinstance(raw, dict) else None
        if isinstance(value, str) and (source := INTERPOLATION.fullmatch(value)):
            return _origin(cfg, ".".join([source[1], *names[last:]]))
    return key


@lru_cache
def _parameters(called: Callable[..., Any]) -> frozenset[str] | None:
    """The names that ``called`` takes; None: it takes any."""
    parameters = inspect.signature(called).parameters
    if any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters.values()):
        return None
    return frozenset(parameters)
