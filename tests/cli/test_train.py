"""Training from Python: the artefacts are those of the command line, and so are the errors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra

from ltrgr import Corpus, Retriever, train
from ltrgr.cli.main import config_directory, main
from ltrgr.corpus.beir import read_beir, write_beir
from ltrgr.corpus.demo import generate_demo
from ltrgr.errors import CorpusError, LtrgrError, RetrieverError
from ltrgr.typed import SettingsError

TINY = [
    "budget=smoke",
    *("model.backbone.tokenizer.size=500", "model.backbone.network.width=32"),
    *("pretrain.steps=6", "pretrain.val_check_interval=6", "mine.questions=16"),
    *("rank.steps=2", "rank.val_check_interval=2", "rank.dev_questions=4"),
    "compute.progress=false",
]
DEMO = generate_demo(passages=80, train_questions=60, dev_questions=8, test_questions=8)
NUMBER = {passage.id: number for number, passage in enumerate(DEMO.passages)}
QUESTIONS = [
    (query.text, [NUMBER[passage] for passage in DEMO.train.qrels[query.id]])
    for query in DEMO.train.queries
]


def texts(*, titles: bool = True) -> Corpus:
    return Corpus.from_texts(
        [passage.text for passage in DEMO.passages],
        titles=[passage.title for passage in DEMO.passages] if titles else None,
    )


def artefacts(root: Path) -> dict[str, int]:
    """Every finished artefact of the pipeline, and the inode that a second making would change."""
    stages = ("index", "pretrain", "mine", "rank")
    done = [path for stage in stages for path in root.glob(f"{stage}/*/DONE.json")]
    return {str(path.parent.relative_to(root)): path.stat().st_ino for path in done}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("has a space") / "runs"


@pytest.fixture(scope="module")
def retriever(root: Path) -> Retriever:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        found = train(texts(), QUESTIONS, root=root, overrides=TINY)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
    return found


def test_from_texts_to_hits(retriever: Retriever, root: Path) -> None:
    hits = retriever.search(QUESTIONS[0][0], k=3)
    assert len(hits) == 3
    for hit in hits:
        number = int(hit.passage.id)
        assert (hit.title, hit.text) == (DEMO.passages[number].title, DEMO.passages[number].text)
        assert hit.score > 0
        assert hit.matches
    assert [path.split("/")[0] for path in artefacts(root)] == ["index", "pretrain", "mine", "rank"]
    assert retriever.directory is not None
    reopened = Retriever.from_pretrained(retriever.directory).search(QUESTIONS[0][0], k=3)
    assert [hit.passage for hit in reopened] == [hit.passage for hit in hits]


def test_a_second_call_finds_what_is_done(retriever: Retriever, root: Path) -> None:
    before = artefacts(root)
    again = train(texts(), QUESTIONS, root=root, overrides=TINY)
    assert artefacts(root) == before
    assert again.directory == retriever.directory
    assert len(list((root / "corpus").iterdir())) == 1


def test_the_command_line_finds_what_python_trained(
    retriever: Retriever, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = artefacts(root)
    (folder,) = (root / "corpus").iterdir()
    monkeypatch.chdir(root.parent)
    corpus = ["corpus=beir", f"corpus.path=runs/corpus/{folder.name}", "corpus.test=null"]
    assert main(["rank", *TINY, *corpus, "evaluation.split=dev", "wandb.mode=disabled"]) == 0
    assert artefacts(root) == before
    assert list(root.glob("evaluate/*/metrics.json"))


def test_python_finds_what_the_command_line_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_beir(DEMO, "encyclopaedia")
    seal = [*TINY, "identifiers=seal"]
    corpus = ["corpus=beir", "corpus.path=encyclopaedia"]
    assert main(["rank", *seal, *corpus, "wandb.mode=disabled"]) == 0
    before = artefacts(tmp_path / "runs")
    assert len(before) == 4
    found = train(read_beir(path="encyclopaedia"), root="runs", overrides=seal)
    named = train(root="runs", overrides=[*seal, *corpus])
    assert artefacts(tmp_path / "runs") == before
    assert found.directory == named.directory
    assert found.directory in Path("runs/rank").iterdir()


def test_texts_need_no_titles(tmp_path: Path) -> None:
    found = train(texts(titles=False), QUESTIONS, dev=QUESTIONS[:4], root=tmp_path, overrides=TINY)
    hits = found.search(QUESTIONS[0][0], k=2)
    assert [hit.title for hit in hits] == ["", ""]


def test_a_test_split_is_needed_only_to_measure_on_it(
    retriever: Retriever, root: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder,) = (root / "corpus").iterdir()
    corpus = ["corpus=beir", f"corpus.path='{folder}'", "corpus.test=null", f"root='{root}'"]
    assert main(["rank", *TINY, *corpus, "pretrain.steps=7"]) == 2
    assert "evaluation.split=test: the corpus" in capfd.readouterr().err
    assert len(artefacts(root)) == 4  # told before anything was trained


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: train(texts()), CorpusError, r"no training question; give train\("),
        (lambda: train(None, QUESTIONS), CorpusError, r"questions without a corpus"),
        (lambda: train(texts(), dev=QUESTIONS), CorpusError, r"dev or test questions alone"),
        (lambda: train(texts(), [("who?", 80)]), CorpusError, r"found passage 80, .* from 0 to 79"),
        (lambda: train(DEMO, overrides=["rank.stepz=3"]), SettingsError, r"mean rank\.steps"),
        (lambda: train(DEMO, overrides=["loss=hinge"]), SettingsError, r"no option 'hinge'"),
        (lambda: train(DEMO, overrides=["rank.clip=1"]), SettingsError, r"gradient_clip_val"),
        (lambda: train(DEMO, overrides=["rank.steps=0"]), SettingsError, r"rank\.steps=0: expec"),
        (lambda: train(overrides=["corpus=beir"]), LtrgrError, r"no value for corpus\.path"),
        (
            lambda: train(DEMO, overrides=["decoding.num_beams=0"]),
            SettingsError,
            r"decoding\.num_beams=0: expected",
        ),
    ],
)
def test_what_cannot_be_trained_is_told_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    call: Callable[[], Retriever],
    error: type[LtrgrError],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        call()
    assert not (tmp_path / "runs/index").exists()


def test_a_hydra_application_keeps_its_own_config(retriever: Retriever, root: Path) -> None:
    with initialize_config_dir(str(config_directory()), version_base="1.3"):
        mine = GlobalHydra.instance().hydra
        train(texts(), QUESTIONS, root=root, overrides=TINY)
        assert GlobalHydra.instance().hydra is mine
        assert compose("mine").seed == 0


def test_a_retriever_is_opened_where_it_is(retriever: Retriever, tmp_path: Path) -> None:
    assert retriever.with_(threads=1).directory == retriever.directory
    with pytest.raises(RetrieverError):
        Retriever.from_pretrained(tmp_path)
