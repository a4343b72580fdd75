"""Paths and names keep the text that was typed."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import get_object
from omegaconf import OmegaConf

from ltrgr.cli.as_typed import TEXT_SETTINGS, as_typed
from ltrgr.cli.command_settings import COMMAND_SETTINGS, EVERY
from ltrgr.cli.main import config_directory
from ltrgr.cli.resolvers import register_resolvers
from ltrgr.typed import annotations_of, fits


def composed(command: str, *overrides: str) -> Any:
    register_resolvers()
    with initialize_config_dir(str(config_directory()), version_base="1.3"):
        return compose(command, overrides=as_typed(overrides))


@pytest.mark.parametrize(
    ("key", "typed"),
    [
        ("root", "2026"),
        ("root", "1e3"),
        ("corpus.path", "2019"),
        ("corpus.path", "1_000"),
        ("corpus.test", "1e3"),
        ("corpus.train", "on"),
        ("corpus.train", "true"),
        ("corpus.name", "0.10"),
        ("corpus.name", "nan"),
        ("wandb.group", "20261125"),
        ("wandb.project", "-3"),
        ("rank.monitor", "7"),
        ("identifiers.views.title.prompt", "1.0"),
        ("+corpus.note", "5"),
    ],
)
def test_a_path_or_a_name_is_the_text_as_typed(key: str, typed: str) -> None:
    cfg = composed("rank", "corpus=beir", "corpus.path=x", f"{key}={typed}")
    found = OmegaConf.select(cfg, key.lstrip("+"))
    assert found == (5 if key == "+corpus.note" else typed)


def test_null_stays_null_and_words_stay_words() -> None:
    cfg = composed("rank", "corpus=beir", "corpus.path=a b/c.d", "corpus.dev=null", "seed=3")
    assert (cfg.corpus.path, cfg.corpus.dev, cfg.seed) == ("a b/c.d", None, 3)


def test_each_value_of_a_sweep_counts() -> None:
    assert as_typed(["corpus.test=1e3,dev,2026"]) == ['corpus.test="1e3",dev,"2026"']
    assert as_typed(["rank.seed=1,2", "-m", "corpus.test='1e3'"]) == [
        "rank.seed=1,2",
        "-m",
        "corpus.test='1e3'",
    ]


def test_every_setting_that_is_text_is_in_the_list() -> None:
    """The annotations say which settings are text; none may be missing, and none too many."""
    found = {"root"} | {
        key for settings in (EVERY, *COMMAND_SETTINGS.values())
        for key, annotation in settings.items() if is_text(annotation)
    }  # fmt: skip
    folder = config_directory()
    options = [f"corpus={path.stem}" for path in (folder / "corpus").glob("*.yaml")]
    options += [f"model={path.stem}" for path in (folder / "model").glob("*.yaml")]
    for option in options:
        path = ["corpus.path=x"] if option == "corpus=beir" else []
        found |= texts("", OmegaConf.to_container(composed("rank", option, *path), resolve=False))
    parts = "model.backbone."  # take theirs from model.checkpoint
    found = {"model.checkpoint" if key.startswith(parts) else key for key in found}
    assert found == set(TEXT_SETTINGS)


def is_text(annotation: Any) -> bool:
    return fits(annotation, "some text") and not fits(annotation, 1)


def texts(place: str, node: Any) -> set[str]:
    """The dotted keys of a config that are text by the annotations of their ``_target_``."""
    found: set[str] = set()
    if not isinstance(node, Mapping):
        return found
    target = node.get("_target_", "")
    annotations = annotations_of(get_object(target)) if str(target).startswith("ltrgr.") else {}
    names = set(signature(get_object(target)).parameters) if annotations else set()
    for name, annotation in annotations.items():
        if name in names and is_text(annotation):
            found.add(f"{place}.{name}")
    for name, inner in node.items():
        step = "*" if place == "identifiers.views" else name
        found |= texts(f"{place}.{step}" if place else str(name), inner)
    return found


def test_the_corpus_folder_of_a_year(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ltrgr.cli.main import main

    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "2019"
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text('{"_id": "a", "title": "T", "text": "a river"}\n')
    (folder / "queries.jsonl").write_text(
        '{"_id": "q", "text": "which river"}\n{"_id": "r", "text": "where is it"}\n'
    )
    (folder / "qrels" / "1e3.tsv").write_text("query-id\tcorpus-id\tscore\nq\ta\t1\nr\ta\t1\n")
    splits = ["corpus.train=1e3", "corpus.dev=null", "corpus.test=null", "root=2026"]
    arguments = ["corpus=beir", "corpus.path=2019", *splits, "evaluation.split=train"]
    assert main(["evaluate", "system=bm25", *arguments]) == 0
    assert list((tmp_path / "2026").glob("evaluate/*/metrics.json"))
