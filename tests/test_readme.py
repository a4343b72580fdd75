"""The README's worked examples run as they stand there."""

import json
import re
import sys
from pathlib import Path

import pytest

from ltrgr.cli.main import main

README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"```(?:python|yaml)\n# (\S+)\n(.*?)```", re.DOTALL)
SMALL = [
    "pretrain.steps=30",
    "pretrain.batch_size=32",
    "mine.questions=64",
    "scoring.partial_keys=true",  # after so few steps hardly any key is whole
    "rank.steps=10",
    "rank.batch_size=4",
    "rank.val_check_interval=5",
    "rank.dev_questions=8",
    "decoding.num_beams=4",
    "wandb.mode=disabled",
    "compute.progress=false",
]


@pytest.fixture
def own_ideas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, body in BLOCK.findall(README.read_text()):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("my_ideas", None)


def test_make_it_your_own(own_ideas: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(own_ideas)
    command = next(
        line for line in README.read_text().splitlines() if "--config-dir conf corpus=mine" in line
    )
    assert main([*command.split()[2:], *SMALL]) == 0
    metrics = json.loads(next(Path("runs/evaluate").glob("*/metrics.json")).read_text())
    assert metrics["questions"] == 40
    retriever = json.loads(next(Path("runs/rank").glob("*/retriever.json")).read_text())
    assert retriever["scoring"]["transform"] == "my_ideas:saturating"
    assert list(retriever["views"]) == ["title", "body", "sentence"]
    curves = next(Path("runs/rank").glob("*/curves/*/metrics.csv")).read_text()
    assert "train/exponential" in curves.splitlines()[0]
