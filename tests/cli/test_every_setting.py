"""Every leaf of every command's config against hostile values.

Each outcome is *accepted* or *one clear line for each fault*. What is accepted is held against a
reviewed table, ``accepted_values.yaml``: a value that is accepted for the first time, or no longer,
fails here until somebody has looked at it. To write the table again: python test_every_setting.py
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from ltrgr.cli.assembly import SECTIONS
from ltrgr.cli.config_faults import expect_config
from ltrgr.cli.errors import own_cause, refused
from ltrgr.cli.main import COMMANDS, config_directory
from ltrgr.cli.resolvers import register_resolvers
from ltrgr.pipeline.agreement import disagreements
from ltrgr.pipeline.catalogue import NO_CORPUS
from ltrgr.pipeline.pipeline import Pipeline
from ltrgr.typed import SettingsError, refuse

TABLE = Path(__file__).with_name("accepted_values.yaml")
HOSTILE: dict[str, Any] = {
    "true": True, "0": 0, "-1": -1, "1.5": 1.5, "nan": math.nan, "inf": math.inf, "1e308": 1e308,
    "10**30": 10**30, "abc": "abc", "''": "", "null": None, "[1]": [1], "{a: 1}": {"a": 1},
}  # fmt: skip
NOT_JUDGED_HERE = {"questions", "table.rows", "table.vary", "table.comparisons"}
"""judged by the command itself, which names the row; tests/cli/test_table_command.py"""


def composed(command: str) -> DictConfig:
    register_resolvers()
    with initialize_config_dir(str(config_directory()), version_base="1.3"):
        return compose(command)


def leaves(node: Any, place: str = "") -> Iterator[str]:
    """Dotted keys of the values of a config that are no section, what a ``_target_`` names left
    out: a wrong name there is an import that fails."""
    for key in node:
        value = OmegaConf.to_container(node, resolve=False)[key]
        where = f"{place}{key}"
        if where in NOT_JUDGED_HERE or str(key).startswith("_"):
            continue
        if isinstance(value, Mapping) and value:
            if "hydra.utils.get_method" not in str(value.get("_target_")):
                yield from leaves(node[key], f"{where}.")
        elif not (isinstance(value, str) and value.startswith("${") and "oc.env" not in value):
            yield where


def outcome(cfg: DictConfig, command: str, leaf: str, value: Any) -> str:
    """``accepted``, or the lines of the error."""
    changed = cfg.copy()
    OmegaConf.update(changed, leaf, value, merge=False)
    try:
        expect_config(changed, command=command)
        if not leaf.startswith("corpus."):  # which is read: the types of its settings are judged
            refuse(disagreements(built(changed)))
    except SettingsError as error:
        return str(error)
    except Exception as error:
        said = str(own_cause(error) or refused(error) or "")  # as the command line prints it
        if not said:
            raise AssertionError(f"{command} {leaf}={value!r}: {error!r}") from error
        return said
    return "accepted"


def built(cfg: DictConfig) -> Pipeline:
    parts = {
        part: instantiate(cfg[section], _convert_="all")
        for part, section in SECTIONS.items()
        if part != "corpus"
    }
    backbone = instantiate(cfg.model.backbone, _convert_="all")
    return Pipeline(root=Path("runs"), corpus=NO_CORPUS, backbone=backbone, **parts)


def pairs() -> list[tuple[str, str, str]]:
    """(command, setting, name of a hostile value); what all commands share is tried once."""
    shared = set(leaves(composed("index")))
    return [
        (command, leaf, name)
        for command in COMMANDS
        for leaf in leaves(composed(command))
        if leaf not in shared or command == "index"
        for name in HOSTILE
    ]


def accepted(tried: Iterable[tuple[str, str, str]]) -> dict[str, list[str]]:
    """setting -> the hostile values that it accepts"""
    configs = {command: composed(command) for command in COMMANDS}
    found: dict[str, list[str]] = {}
    for command, leaf, name in tried:
        said = outcome(configs[command], command, leaf, HOSTILE[name])
        if said == "accepted":
            key = leaf if command == "index" else f"{command}: {leaf}"
            found.setdefault(key, []).append(name)
        else:
            assert len(said) < 2000 and "Traceback" not in said, (leaf, name, said)
    return found


@pytest.mark.filterwarnings("ignore")
def test_what_some_settings_accept() -> None:
    """A sample of the pairs; the slow test takes all."""
    table = yaml.safe_load(TABLE.read_text())
    tried = Random(0).sample(pairs(), 250)
    expected: dict[str, list[str]] = {}
    for command, leaf, name in tried:
        key = leaf if command == "index" else f"{command}: {leaf}"
        if name in table.get(key, []):
            expected.setdefault(key, []).append(name)
    assert accepted(tried) == expected


@pytest.mark.slow  # a minute
@pytest.mark.filterwarnings("ignore")
def test_what_every_setting_accepts() -> None:
    assert accepted(pairs()) == yaml.safe_load(TABLE.read_text())
    assert len(pairs()) > 1500


if __name__ == "__main__":
    table = accepted(pairs())
    TABLE.write_text(yaml.safe_dump(table, sort_keys=True, default_flow_style=None, width=100))
    print(f"{len(pairs())} pairs, {sum(map(len, table.values()))} accepted")
