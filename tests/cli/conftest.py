"""A small application: a conf directory and a module of verbs, away from the real ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ltrgr.cli.main import main

FILES = {
    "rank.yaml": """
defaults: [_self_, loss: margin, experiment: null]
seed: 0
corpus: {path: data, limit: null}
hydra:
  run: {dir: OUT/run}
  sweep: {dir: OUT/sweep, subdir: "${hydra.job.num}"}
  callbacks: {sweep: {_target_: ltrgr.cli.sweep.Sweep}}
""",
    "search.yaml": """
questions: []
k: 10
identifiers_shown: 6
train: false
retriever: null
hydra: {run: {dir: OUT/run}}
""",
    "mine.yaml": """
corpus:
  path: ???
hydra: {run: {dir: OUT/run}}
""",
    "loss/margin.yaml": "margin: 500\nlambda_generation: 1000\n",
    "loss/infonce.yaml": "temperature: 1.0\n",
    "experiment/demo_quick.yaml": "# @package _global_\nseed: 9\n",
}

COMMANDS = """
import json
from pathlib import Path
from omegaconf import OmegaConf
from ltrgr.pipeline.artefact import ArtefactError

FOLDER = Path("OUT")

def note(cfg):
    with (FOLDER / "seen.jsonl").open("a") as file:
        file.write(json.dumps(OmegaConf.to_container(cfg, resolve=True)) + "\\n")

search = mine = note

def rank(cfg):
    note(cfg)
    if cfg.seed == 1:
        raise RuntimeError("job one is broken")
    if cfg.seed == 2:
        raise ArtefactError("no index; run: ltrgr index")
    if cfg.seed == 3:
        raise KeyboardInterrupt
    if cfg.seed == 4:
        cfg.loss.nowhere
"""


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "conf" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("OUT", str(tmp_path)))
    return tmp_path / "conf"


@pytest.fixture
def ltrgr(tmp_path: Path, conf: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Run ``ltrgr`` on the small application; returns the exit code."""
    name = f"verbs_{abs(hash(tmp_path))}"
    (tmp_path / f"{name}.py").write_text(COMMANDS.replace("OUT", str(tmp_path)))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    return lambda *arguments: main(list(arguments), conf=conf, commands=name)
