"""Keys that a file sets and nobody reads: Hydra takes any key from a file, even a misspelt one."""

from __future__ import annotations

import difflib
from typing import Any

from ltrgr.cli.renamed import moved_names, new_name
from ltrgr.cli.suggestions import did_you_mean, dotted_keys
from ltrgr.errors import LtrgrError


class MisspeltKeyError(LtrgrError):
    """An experiment sets a key that the config does not have, and that is spelt like one it has."""


class RenamedKeyError(LtrgrError):
    """A file or an override has an old name: of a key, or of what a ``_target_`` names."""


class AnotherCommandError(LtrgrError):
    """An experiment defines a table, and the command is another one."""


def refuse_table(cfg: Any, hydra_cfg: Any, *, command: str) -> None:
    """Only ``ltrgr table`` reads a table's rows; another command would do something else.

    Raises:
        AnotherCommandError: names the command to run.
    """
    if command != "table" and "title" in (cfg.get("table") or {}):
        overrides = " ".join(hydra_cfg.overrides.task)
        raise AnotherCommandError(
            f"this experiment is for another command; run: ltrgr table {overrides}"
        )


def refuse_renamed(cfg: Any) -> None:
    """Refuse the old names of settings, and of the functions and classes that a config names.

    An old key on the command line never gets here: without ``+`` Hydra refuses it itself.

    Raises:
        RenamedKeyError: names each old name and its new one.
    """
    from omegaconf import OmegaConf

    keys = dotted_keys(cfg)
    found = [(key, new) for key in keys if (new := new_name(key, keys)) is not None]
    if found:
        named = ", ".join(f"{key} is now {new}" for key, new in found)
        raise RenamedKeyError(f"settings have new names: {named}; change them where they are set")
    moved = list(moved_names(OmegaConf.to_container(cfg, resolve=False)))
    if moved:
        named = ", ".join(f"{old} is now {new} (in {key})" for key, old, new in moved)
        raise RenamedKeyError(f"functions have new names: {named}; change them where they are set")


def refuse_misspelt(cfg: Any, hydra_cfg: Any, *, command: str) -> None:
    """Compare the config with the one composed from the same options without the experiment.

    A new key is an error only where its section has a similar key that the experiment leaves
    alone: experiments may add keys, and a key with a misspelt name does nothing, silently.

    Raises:
        MisspeltKeyError: names the experiment, the key and the nearest valid one.
    """
    choices = {k: v for k, v in hydra_cfg.runtime.choices.items() if not k.startswith("hydra/")}
    experiment = choices.pop("experiment", None)
    if experiment is None:
        return
    base = _composed(command=command, choices=choices)
    if base is None:
        return
    added = [o.lstrip("+").split("=")[0] for o in hydra_cfg.overrides.task if o.startswith("+")]
    known = set(dotted_keys(base))
    for key in dotted_keys(cfg):
        section, _, name = key.rpartition(".")
        if key in known or any(key == a or key.startswith(f"{a}.") for a in added):
            continue
        siblings = [k.rpartition(".")[2] for k in known if k.rpartition(".")[0] == section]
        if close := difflib.get_close_matches(name, siblings, n=2, cutoff=0.8):
            names = [f"{section}.{other}".lstrip(".") for other in close]
            raise MisspeltKeyError(
                f"experiment {experiment!r} sets {key!r}, which is not a key of this config. "
                f"{did_you_mean(names)}\nSee all of them: ltrgr {command} --cfg job"
            )


def _composed(*, command: str, choices: dict[str, Any]) -> Any:
    """Return the config of these options without an experiment; None if it does not compose."""
    from hydra.core.global_hydra import GlobalHydra
    from hydra.errors import HydraException
    from hydra.types import RunMode

    running = GlobalHydra.instance()
    if not running.is_initialized():
        return None
    # A group without a choice (null) cannot be named in an override, and needs none.
    options = [f"{group}={_option(c)}" for group, c in choices.items() if c is not None]
    for without in (["~experiment"], []):
        try:
            return running.config_loader().load_configuration(
                config_name=command, overrides=[*options, *without], run_mode=RunMode.RUN
            )
        except HydraException:
            continue
    return None


def _option(choice: Any) -> str:
    return choice if isinstance(choice, str) else f"[{','.join(choice)}]"
