from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ltrgr.cli.main import main
from ltrgr.errors import RetrieverError
from ltrgr.pipeline.artefact import Artefact
from ltrgr.retrieval.retriever import Retriever

SMALL = [
    "corpus.passages=1200",
    "corpus.train_questions=200",
    "corpus.dev_questions=20",
    "corpus.test_questions=20",
]

Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("k=0", "k=0: expected a whole number of passages, 1 or more"),
        ("k=true", "k=True: expected a whole number"),
        ("k=2.5", "k=2.5: expected a whole number"),
        ("k=5 best?", "k=5 best?: expected a whole number of passages, 1 or more; a question that"),
        ("identifiers_shown=-1", "identifiers_shown=-1: expected a whole number, 0 or more"),
        ("train=maybe", "train=maybe: expected true or false"),
        ("retriever=else where/x", "retriever=else where/x: no such folder; give the directory"),
        ("retriever=2019", "retriever=2019: no such folder"),
        ("questions=[]", "no question was asked"),
        ("?!", "the question '?!' has no word"),
    ],
)
def test_what_no_search_can_answer_is_refused_in_one_line(
    tmp_path: Path, capsys: Capture, word: str, message: str
) -> None:
    questions = [] if word == "questions=[]" else ["who?"]
    assert main(["search", *questions, word, f"root={tmp_path}"]) == 2
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1


@pytest.mark.parametrize("words", [[], ["who?", "k=0"], ["who?", "retriever=nowhere"]])
def test_an_empty_search_is_refused_before_torch_is_imported(
    tmp_path: Path, words: list[str]
) -> None:
    code = (
        "import sys; from ltrgr.cli.main import main;"
        f"code = main(['search', 'root={tmp_path}', *{words}]);"
        "print(code, sorted({'torch', 'numba', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "2 []\n"


def test_a_search_trains_nothing_unless_told(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["search", "who?", "k=3", f"root={tmp_path}", *SMALL, "corpus.seed=3"]
    assert main(command) == 2
    told = capsys.readouterr().err
    cure = f"train it with: ltrgr rank root={tmp_path} {' '.join(SMALL)} corpus.seed=3 (or with tr"
    assert f"no trained model at {tmp_path}/rank/" in told and cure in told
    assert told.count("\n") == 1
    assert main([*command, "system=pretrain", "seed=1"]) == 2
    assert f"train it with: ltrgr pretrain root={tmp_path}" in capsys.readouterr().err
    assert not [path for stage in ("index", "pretrain") for path in tmp_path.glob(f"{stage}*")]
    monkeypatch.setattr("ltrgr.pipeline.pipeline.Pipeline.pretrain", lambda *_: 1 / 0)
    assert main([*command, "system=pretrain", "train=true"]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err  # it began to train


def test_a_search_builds_no_index_unless_told(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A finished model stays good where its index is gone."""
    whole = Artefact.problem
    monkeypatch.setattr(
        Artefact, "problem", lambda one: None if one.stage == "rank" else whole(one)
    )
    assert main(["search", "who?", f"root={tmp_path}", *SMALL, "corpus.seed=3"]) == 2
    told = capsys.readouterr().err
    cure = f"build it with: ltrgr index root={tmp_path} {' '.join(SMALL)} corpus.seed=3 (or with"
    assert f"no index at {tmp_path}/index/" in told and cure in told
    assert told.count("\n") == 1
    assert not list(tmp_path.glob("index/*"))


@pytest.mark.parametrize(
    ("accelerator", "cards", "device"), [("cpu", 1, "cpu"), ("auto", 1, "cuda"), ("auto", 0, "cpu")]
)
def test_a_given_retriever_computes_on_the_accelerator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, accelerator: str, cards: int, device: str
) -> None:
    def from_pretrained(*_: object, **given: object) -> None:
        used.append(given["device"])
        raise RetrieverError("seen")

    used: list[object] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cards > 0)
    monkeypatch.setattr(Retriever, "from_pretrained", from_pretrained)
    arguments = [f"retriever={tmp_path}", f"compute.accelerator={accelerator}", f"root={tmp_path}"]
    assert main(["search", "who?", *arguments]) == 2
    assert used == [device]


@pytest.mark.parametrize("command", ["rank", "evaluate", "search"])
def test_an_accelerator_that_is_not_there_ends_no_command_late(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    asked = ["who?"] if command == "search" else []
    assert main([command, *asked, *SMALL, "compute.accelerator=gpu", f"root={tmp_path}"]) == 2
    told = capsys.readouterr().err
    assert "compute.accelerator=gpu: torch sees no CUDA device; expected auto or cpu" in told
    assert told.count("\n") == 1
