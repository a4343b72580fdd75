"""The files in examples/ run as they are, and print what their pages say."""

from __future__ import annotations

import os
import re
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import ltrgr

EXAMPLES = Path(__file__).parents[1] / "examples"
SCRIPTS = sorted(path.stem for path in EXAMPLES.glob("*.py"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all scripts: they share what they may share."""
    return tmp_path_factory.mktemp("examples")


@pytest.fixture
def run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str], str]:
    """Run a script as ``python examples/NAME.py`` does, and return what it prints."""
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(EXAMPLES))
    for name in SCRIPTS:
        monkeypatch.delitem(sys.modules, name, raising=False)

    def run(name: str) -> str:
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
        return capsys.readouterr().out

    return run


def test_own_corpus(run: Callable[[str], str], folder: Path) -> None:
    printed = run("own_corpus")
    assert printed.startswith("10 passages, 30 questions\n")
    answers = re.findall(r"-> (.*) \(asked about: (.*)\)", printed)
    assert [asked for _, asked in answers] == ["Opening hours", "Renewal", "Printing"]
    assert sum(found == asked for found, asked in answers) >= 2
    directory = re.search(r"retriever=(\S+)", printed)
    assert directory is not None
    assert (folder / directory[1] / "DONE.json").is_file()


def test_own_loss(run: Callable[[str], str], folder: Path) -> None:
    printed = run("own_loss")
    # margin 1: max(0, 1 - 5 + 1)^2, max(0, 0 + 1)^2 and max(0, 5 - 1 + 1)^2
    assert re.findall(r"order: (\d+)", printed) == ["0", "1", "25"]
    directory = re.search(r"trained with it: (\S+)", printed)
    assert directory is not None
    inputs = (folder / directory[1] / "config.yaml").read_text()
    assert inputs.count("own_loss:squared_hinge") == 2


def test_own_heuristic(run: Callable[[str], str], folder: Path) -> None:
    printed = run("own_heuristic")
    rows = re.findall(r"^ +(\d+) +(\d+) +(\d+)$", printed, re.MULTILINE)
    assert rows == [("1", "1", "9"), ("5", "25", "33"), ("20", "400", "67")]
    own, usual = (
        re.findall(r" (\d+)(?:,|$)", line)
        for line in re.findall(r"(?:saturating|squared): (.*)", printed)
    )
    assert len(own) == len(usual) == 3
    assert own != usual
    named = [path.read_text() for path in folder.glob("runs/examples/rank/*/retriever.json")]
    assert any('"own_heuristic:saturating"' in text for text in named)


def test_own_view(run: Callable[[str], str]) -> None:
    printed = run("own_view")
    assert "the views: title, body, sentence\n" in printed
    found = {view: int(number) for number, view in re.findall(r"^ +(\d+)  (\w+)$", printed, re.M)}
    assert set(found) == {"title", "body", "sentence"}
    assert min(found.values()) > 0


def test_own_backbone(run: Callable[[str], str]) -> None:
    printed = run("own_backbone")
    assert printed.startswith("T5ForConditionalGeneration with 1,")
    assert len(re.findall(r"^ +[\d.]+  \w", printed, re.MULTILINE)) == 3


def test_own_index(run: Callable[[str], str]) -> None:
    printed = run("own_index")
    assert re.search(r"^\d{4} tokens, 80 passages$", printed, re.MULTILINE)
    usual, own = (
        re.findall(rf"^  {name}: +(.*)$", printed, re.MULTILINE)
        for name in ("FM-index", "suffix array")
    )
    assert own == usual
    assert len(own) == 3
    assert all(len(re.findall(r"\w \d+", hits)) == 3 for hits in own)


@pytest.mark.slow  # half a minute
def test_quickstart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = str(Path(ltrgr.__file__).parents[1])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([source, os.environ.get("PYTHONPATH", "")]))
    notebook = nbformat.read(EXAMPLES / "quickstart.ipynb", as_version=4)
    NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    ).execute()
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    shown = "".join(
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for cell in code
        for output in cell.outputs
    )
    measured = re.search(r"'hits@1': ([\d.]+), 'hits@5': ([\d.]+)", shown)
    assert measured is not None
    assert float(measured[1]) > 0.7  # chance: 1 of 31
    assert float(measured[2]) > 0.9
    assert "title: Lithium" in shown
    assert len(list((tmp_path / "runs" / "rank").glob("*/retriever.json"))) == 1


def test_the_index_names_every_example() -> None:
    listed = re.findall(r"\]\((\w+\.\w+)\)", (EXAMPLES / "README.md").read_text())
    files = [path.name for path in EXAMPLES.iterdir() if path.suffix in (".py", ".ipynb")]
    assert sorted(listed) == sorted(files)
    assert {f"test_{name}" for name in SCRIPTS} <= set(globals())
