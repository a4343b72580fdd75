from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hydra._internal.utils import get_args_parser

from ltrgr.cli.main import config_directory, main
from ltrgr.cli.questions import FLAGS, SearchWords, search_words

Capture = pytest.CaptureFixture[str]


def words(*arguments: str) -> SearchWords:
    return search_words(arguments, conf=config_directory())


def asked(questions: Sequence[str]) -> str:
    return f"questions=[{','.join(questions)}]"


@pytest.mark.parametrize(
    "setting",
    [
        "k=5",
        "k=5 best?",
        "retriever=else where/x",
        "retriever=",
        "loss=infonce",
        "loss.margin=1",
        "corpus=beir",
        "corpus.path=my corpus",  # a key of the option that another word chooses
        "optimizer@rank.optimizer=adafactor",
        "+scoring@evaluation.scoring=max",
        "++k=3",
        "+loss.new=1",
        "~experiment",
        "~loss.margin=1",
        "hydra.run.dir=somewhere else",
        "hydra/launcher=joblib",
        "functions=[a:b, c:d]",
    ],
)
def test_a_word_whose_key_the_config_has_is_a_setting(setting: str) -> None:
    assert words("why?", "corpus=beir", setting) == SearchWords(
        ["corpus=beir", setting, asked(['"why?"'])], []
    )


@pytest.mark.parametrize(
    "question",
    [
        "E=mc2",
        "is 2 + 2 = 4?",
        "x=1, and y=2: what is x+y?",
        "k = 5",
        "-40 degrees is how much?",
        "-40",
        "--cfg is what?",
        "-e=mc2 why?",
        "- why?",
        "+40",
        "~40 people = how many?",
        "+new.key=1",
        "path=my corpus",
        "k",
        "a=b, c [d] {e}",
        "[a]=b",
        "=",
    ],
)
def test_any_other_word_is_a_question(question: str) -> None:
    assert words(question, "k=3") == SearchWords(["k=3", asked([f'"{question}"'])], [])


def test_a_double_dash_ends_settings_and_flags() -> None:
    assert words("-m", "one", "k=3", "--", "k=5", "-m", "--", "two") == SearchWords(
        ["-m", "k=3", asked(['"one"', '"k=5"', '"-m"', '"--"', '"two"'])], []
    )
    assert words("--") == SearchWords([], [])


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("retreiver=runs/rank/x", "retriever"),
        ("corpus.pasages=5", "corpus.passages"),
        ("los=infonce", "loss"),
        ("decoding.beams=3", "decoding.num_beams"),  # its name in an earlier version
    ],
)
def test_a_misspelt_setting_is_read_as_a_question_and_told(word: str, meant: str) -> None:
    assert words(word).hints == [f"{word} is read as a question; did you mean {meant}=?"]
    assert words(f"{word} or not?").hints == words("--", word).hints == []


def test_a_hint_takes_one_line(capsys: Capture, tmp_path: Path) -> None:
    assert main(["search", "retreiver=x", "k=0", f"root={tmp_path}"]) == 2
    hint, refusal = capsys.readouterr().err.splitlines()
    assert hint == "ltrgr search: retreiver=x is read as a question; did you mean retriever=?"
    assert "k=0: expected a whole number of passages, 1 or more" in refusal


def test_flags_and_their_values_are_no_questions() -> None:
    arguments = ["--config-dir", "own", "--cfg", "job", "--info", "defaults"]
    assert words(*arguments, "why").arguments == [*arguments, asked(['"why"'])]
    assert words("--no-such-flag", "-x=1").arguments == ["--no-such-flag", "-x=1"]
    assert words("k=3").arguments == ["k=3"]


def test_options_of_ones_own_config_folder_are_known(tmp_path: Path) -> None:
    (tmp_path / "own group").mkdir()
    (tmp_path / "own group" / "one.yaml").write_text("a: 1")
    (tmp_path / "loss").mkdir()
    (tmp_path / "loss" / "mine.yaml").write_text("peculiar: 1\n")
    flag = f"--config-dir={tmp_path}"
    settings = ["loss=mine", "loss.peculiar=2"]
    assert words(flag, *settings).arguments == [flag, *settings]
    assert words(*settings).arguments == ["loss=mine", asked(['"loss.peculiar=2"'])]


def test_all_flags_of_hydra_are_known() -> None:
    known = {flag for action in get_args_parser()._actions for flag in action.option_strings}
    assert known - FLAGS == {"--shell-completion", "-sc"}  # answered before any command
    assert known >= FLAGS


@pytest.mark.parametrize("word", ["E=mc2", "-40 degrees is how much?", "retreiver=x"])
def test_the_command_gets_such_words_as_questions(
    ltrgr: Callable[..., int], tmp_path: Path, word: str
) -> None:
    assert ltrgr("search", word, "k=3") == 0
    assert f'"questions": ["{word}"]' in (tmp_path / "seen.jsonl").read_text()
