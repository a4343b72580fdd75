"""The worked examples of the README and of the how-to pages run as they stand there."""

import contextlib
import io
import json
import re
import sys
from pathlib import Path

import pytest

from ltrgr.cli.main import main

ROOT = Path(__file__).parents[1]
HOW_TO = ROOT / "docs" / "how_to"
FILE = re.compile(r"```(?:python|yaml)\n# (\S+)\n(.*?)```", re.DOTALL)
"""a block that names its file in the first line"""
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)
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
    """The files of all pages; blocks with one name make one file, page after page."""
    for page in sorted(HOW_TO.glob("*.md")):
        for name, body in FILE.findall(page.read_text()):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a") as file:
                file.write(body)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("my_ideas", None)


def test_make_it_your_own(own_ideas: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(own_ideas)
    lines = (HOW_TO / "index.md").read_text().splitlines()
    command = next(line for line in lines if "--config-dir conf corpus=mine" in line)
    assert main([*command.split()[2:], *SMALL]) == 0
    measured = [
        json.loads(path.read_text()) for path in Path("runs/evaluate").glob("*/metrics.json")
    ]
    # of test the trained system, of dev BM25, stage 1 and stage 2
    assert sorted(metrics["questions"] for metrics in measured) == [8, 8, 8, 40]
    retriever = json.loads(next(Path("runs/rank").glob("*/retriever.json")).read_text())
    assert retriever["scoring"]["transform"] == "my_ideas:saturating"
    assert list(retriever["views"]) == ["title", "body", "sentence"]
    curves = next(Path("runs/rank").glob("*/curves/*/metrics.csv")).read_text()
    assert "train/exponential" in curves.splitlines()[0]
    _search_as_shown(next(Path("runs/rank").glob("*/retriever.json")).parent)


def _search_as_shown(model: Path) -> None:
    """The README's search in Python, with this model: three passages for each of two questions."""
    (code,) = PYTHON.findall((ROOT / "README.md").read_text())
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        functions = "functions=[my_ideas.saturating, my_ideas.first_sentences]"
        opened = f'from_pretrained("{model}", {functions})'
        code = code.replace('from_pretrained("runs/rank/<fingerprint>")', opened)
        exec(f"import my_ideas\n{code}", {})
    lines = shown.getvalue().splitlines()
    assert [line for line in lines if line.endswith("?")] == [
        "who wrote The White Window?",
        "where did work at Farkivik's firm begin?",
    ]
    assert sum(re.match(r" *-?\d+\.\d ", line) is not None for line in lines) == 6
