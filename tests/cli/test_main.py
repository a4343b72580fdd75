from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from joblib.externals.loky import get_reusable_executor

from ltrgr.cli.main import COMMANDS, config_directory, main

Run = Callable[..., int]
Capture = pytest.CaptureFixture[str]


def seen(tmp_path: Path) -> list[dict[str, Any]]:
    path = tmp_path / "seen.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_help_names_every_verb_and_version_is_ours(ltrgr: Run, capsys: Capture) -> None:
    assert ltrgr() == 0
    text = capsys.readouterr().out
    assert ltrgr("--help") == 0
    assert capsys.readouterr().out == text
    assert all(f"  {command} " in text for command in COMMANDS)
    assert ltrgr("--version") == 0
    assert capsys.readouterr().out == "ltrgr 0.1.0\n"


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from ltrgr.cli.main import main; main(['--help']);"
        "print(sorted({'torch', 'hydra', 'numpy', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_config_directory_is_the_checkouts_conf() -> None:
    assert config_directory() == Path(__file__).resolve().parents[2] / "conf"


def test_a_verb_gets_its_composed_config(ltrgr: Run, tmp_path: Path) -> None:
    assert ltrgr("rank", "loss=infonce", "corpus.path=elsewhere", "experiment=demo_quick") == 0
    assert seen(tmp_path) == [
        {
            "seed": 9,
            "corpus": {"path": "elsewhere", "limit": None},
            "loss": {"temperature": 1.0},
        }
    ]


def test_an_unknown_verb_names_the_nearest(ltrgr: Run, capsys: Capture) -> None:
    assert ltrgr("rnak") == 2
    assert "no command 'rnak'. Did you mean rank?" in capsys.readouterr().err


@pytest.mark.parametrize("buffered", ["", "1"])
def test_a_reader_that_stops_reading_is_no_error(
    monkeypatch: pytest.MonkeyPatch, buffered: str
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", buffered)
    for arguments in (["--help"], ["rank", "--help"]):
        command = [sys.executable, "-m", "ltrgr.cli.main", *arguments]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None and process.stderr is not None
            process.stdout.close()
            assert process.stderr.read() == b""
            assert process.wait() == 141


def test_the_help_of_each_verb_tells_what_it_does_and_gives_examples(capsys: Capture) -> None:
    for command, line in COMMANDS.items():
        assert main([command, "--help"]) == 0
        head, _, _ = capsys.readouterr().out.partition("== Configuration groups ==")
        assert head.startswith(f"ltrgr {command} "), line
        assert head.count(f"\n  ltrgr {command}") == 2


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("loss.margn=3", "'loss.margn' is not a key of this config. Did you mean loss.margin"),
        ("corpus.limt=3", "Did you mean corpus.limit"),
        ("margin=3", "Did you mean loss.margin?"),
        ("corpus.pth=x", "Did you mean corpus.path"),
        ("loss.lambda=3", "Did you mean loss.lambda_generation"),
        ("los=infonce", "Did you mean loss"),
        ("loss=margn", "loss has no option 'margn'. Did you mean margin?"),
        ("experiment=demo_quik", "Did you mean demo_quick? Valid options: demo_quick."),
        ("zzzz=1", "See all of them: ltrgr rank --cfg job"),
        ("loss.margin", "loss.margin"),
        ("seed=1,2", "add --multirun"),
    ],
)
def test_a_mistyped_override_fails_at_composition(
    ltrgr: Run, tmp_path: Path, capsys: Capture, override: str, message: str
) -> None:
    assert ltrgr("rank", "corpus.limit=5", override) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
    assert seen(tmp_path) == []


def test_suggestions_know_the_chosen_options_keys(ltrgr: Run, capsys: Capture) -> None:
    assert ltrgr("rank", "loss=infonce", "loss.temprature=2") == 2
    assert "Did you mean loss.temperature?" in capsys.readouterr().err


def test_mandatory_values_are_asked_for_before_the_verb_runs(
    ltrgr: Run, tmp_path: Path, capsys: Capture
) -> None:
    assert ltrgr("mine") == 2
    assert "Run: ltrgr mine corpus.path=..." in capsys.readouterr().err
    assert seen(tmp_path) == []
    assert ltrgr("mine", "corpus.path=x") == 0


def test_errors_of_ours_are_clean_and_others_keep_their_traceback(
    ltrgr: Run, capsys: Capture
) -> None:
    assert ltrgr("rank", "seed=2") == 2
    error = capsys.readouterr().err
    assert "ltrgr rank: ArtefactError: no index; run: ltrgr index" in error
    assert "Traceback" not in error
    assert "Error executing job" not in error
    assert ltrgr("rank", "seed=1") == 1
    error = capsys.readouterr().err
    assert "Traceback" in error
    assert "RuntimeError: job one is broken" in error


def test_hydra_full_error_shows_every_traceback(
    ltrgr: Run, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    assert ltrgr("rank", "seed=2") == 2
    assert "Traceback" in capsys.readouterr().err


def test_ctrl_c_is_one_line_and_130(ltrgr: Run, capsys: Capture) -> None:
    assert ltrgr("rank", "seed=3") == 130
    error = capsys.readouterr().err
    assert error == "stopped; run the same command to go on from the last checkpoint\n"


def test_reading_a_key_that_is_not_there_names_it(ltrgr: Run, capsys: Capture) -> None:
    assert ltrgr("rank", "seed=4") == 2
    assert "loss.nowhere" in capsys.readouterr().err


def test_in_a_sweep_one_failure_is_told_and_the_other_jobs_go_on(
    ltrgr: Run, tmp_path: Path, capsys: Capture
) -> None:
    assert ltrgr("rank", "-m", "seed=0,1,5", "loss.margin=7") == 1
    assert [cfg["seed"] for cfg in seen(tmp_path)] == [0, 1, 5]
    error = capsys.readouterr().err
    assert error.index("job 1 of the sweep failed") < error.index(
        "1 of the 3 jobs that began did not end well"
    )
    assert error.count("RuntimeError: job one is broken") == 1


def test_a_sweep_without_failures_ends_with_zero(ltrgr: Run, tmp_path: Path) -> None:
    assert ltrgr("rank", "loss.margin=1,2", "-m") == 0
    assert [cfg["loss"]["margin"] for cfg in seen(tmp_path)] == [1, 2]


def test_a_sweep_over_joblib_tells_failures_too(ltrgr: Run, tmp_path: Path) -> None:
    overrides = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
    assert ltrgr("rank", "-m", "seed=0,1", *overrides) == 1
    assert sorted(cfg["seed"] for cfg in seen(tmp_path)) == [0, 1]
    get_reusable_executor().shutdown(wait=True)  # its processes have this test's import path


def test_config_dir_adds_ones_own_options(ltrgr: Run, tmp_path: Path) -> None:
    own = tmp_path / "own" / "loss"
    own.mkdir(parents=True)
    (own / "mine.yaml").write_text("margin: 1\nown: true\n")
    assert ltrgr("rank", "loss=mine", "--config-dir", str(own.parent), "seed=6") == 0
    assert seen(tmp_path)[0]["loss"] == {"margin": 1, "own": True}


def test_a_mistyped_key_of_ones_own_option_is_suggested(
    ltrgr: Run, tmp_path: Path, capsys: Capture
) -> None:
    own = tmp_path / "own" / "loss"
    own.mkdir(parents=True)
    (own / "mine.yaml").write_text("peculiar: 1\n")
    assert ltrgr("rank", f"--config-dir={own.parent}", "loss=mine", "loss.pecular=2") == 2
    assert "Did you mean loss.peculiar?" in capsys.readouterr().err


@pytest.mark.parametrize("where", ["conf", "own"])
def test_a_mistyped_key_in_an_experiment_file_is_refused(
    ltrgr: Run, tmp_path: Path, capsys: Capture, where: str
) -> None:
    path = tmp_path / where / "experiment" / "typo.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    body = "# @package _global_\ndefaults: [{override /loss: infonce}]\nloss: {temprature: 2}\n"
    path.write_text(body)
    flag = f"--config-dir={tmp_path / where}"
    assert ltrgr("rank", flag, "experiment=typo") == 2
    error = capsys.readouterr().err
    assert "experiment 'typo' sets 'loss.temprature'" in error
    assert "Did you mean loss.temperature?" in error
    path.write_text(body.replace("temprature", "temperature") + "corpus: {language: en}\n")
    assert ltrgr("rank", flag, "experiment=typo", "+loss.temperatur=1") == 0
    assert seen(tmp_path)[0]["loss"] == {"temperature": 2, "temperatur": 1}
    assert seen(tmp_path)[0]["corpus"]["language"] == "en"


def test_a_config_that_is_no_yaml_is_named_with_its_line(
    ltrgr: Run, conf: Path, capsys: Capture
) -> None:
    (conf / "loss" / "broken.yaml").write_text("margin: 1\n  oops: [\n")
    assert ltrgr("rank", "loss=broken") == 2
    error = capsys.readouterr().err
    assert 'broken.yaml", line 2' in error
    assert "Traceback" not in error


def test_hydras_own_flags_work(ltrgr: Run, tmp_path: Path, capsys: Capture) -> None:
    assert ltrgr("rank", "seed=8", "--cfg", "job") == 0
    assert "seed: 8\n" in capsys.readouterr().out
    assert ltrgr("rank", "--info", "defaults") == 0
    assert "loss/margin" in capsys.readouterr().out
    assert ltrgr("rank", "--help") == 0
    assert "lambda_generation: 1000" in capsys.readouterr().out
    assert ltrgr("rank", "--no-such-flag") == 2
    assert seen(tmp_path) == []


@pytest.mark.parametrize("flags", [["-m", "--cfg", "job"], ["--info", "--multirun"]])
def test_a_sweep_has_no_one_config_to_show(
    ltrgr: Run, tmp_path: Path, capsys: Capture, flags: list[str]
) -> None:
    assert ltrgr("rank", "seed=1,2", *flags) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "drop -m" in error
    assert seen(tmp_path) == []


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("no_such_losses.f", "no module 'no_such_losses' can be imported. Put the folder"),
        ("ltrgr.losses.hinge.nono", "'ltrgr.losses.hinge' has no 'nono'"),
        ("ltrgr.losses.ranket", "'ltrgr.losses' has no 'ranket'"),
        ("importing_module.f", "whose module imports 'no_such_package', which is not installed"),
    ],
)
def test_what_a_config_names_and_python_cannot_import(
    tmp_path: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
    target: str,
    message: str,
) -> None:
    (tmp_path / "importing_module.py").write_text("import no_such_package\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for override in (
        f"loss.objective.terms.rank1.loss._target_={target}",
        f"+scoring.transform={{_target_: hydra.utils.get_method, path: {target}}}",
    )[: 1 if target.startswith("ltrgr") else 2]:
        assert main(["evaluate", f"root={tmp_path}", "corpus.passages=1200", override]) == 2
        error = capsys.readouterr().err
        assert message in error
        assert f"{target!r}" in error
        assert "Traceback" not in error


@pytest.mark.parametrize("question", ["???", "", "  ", "?! ..."])
def test_a_question_without_a_word_is_refused_before_any_work(
    tmp_path: Path, capsys: Capture, question: str
) -> None:
    assert main(["search", f"root={tmp_path / 'runs'}", "good question", question]) == 2
    assert f"the question {question.strip()!r} has no word" in capsys.readouterr().err
    assert not (tmp_path / "runs" / "index").exists()


def test_search_takes_bare_questions(ltrgr: Run, tmp_path: Path) -> None:
    questions = ['Who said "no, never"?', "what's 50% of {x}, é=1 [or] ${HOME}?"]
    assert ltrgr("search", questions[0], "k=3", questions[1]) == 0
    assert [(cfg["questions"], cfg["k"]) for cfg in seen(tmp_path)] == [(questions, 3)]


@pytest.mark.parametrize(
    "arguments",
    [
        ["\x1b[31mrank"],
        ["rank", "loss.\x1b[31m=2"],
        ["rank", "loss.margn=\x1b[31m"],
        ["rank", "--\x1b[31m"],
        ["rank", "loss=\x9b31m"],
        ["rank", "seed=2", "corpus.path='\x1b[31m'"],
    ],
)
def test_no_argument_is_obeyed_by_the_terminal(
    ltrgr: Run, capsys: Capture, arguments: list[str]
) -> None:
    assert ltrgr(*arguments) == 2
    told = capsys.readouterr()
    assert not {"\x1b", "\x9b"} & set(told.err + told.out)
    assert "Traceback" not in told.err


def test_log_records_are_made_visible_in_the_terminal_and_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "logging_command.py").write_text(
        "import logging\ndef mine(cfg):\n    logging.getLogger('ltrgr').info('of %s', cfg.root)\n"
    )
    code = (
        "from ltrgr.cli.main import main;"
        f"main(['mine', 'root=\"{tmp_path}/a\\x1b[31m\"'], commands='logging_command')"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    subprocess.run([sys.executable, "-c", code], check=True)
    assert "[ltrgr][INFO] - of " in (told := capfd.readouterr().out)
    assert told.endswith("/a\\x1b[31m\n")
    [written] = tmp_path.glob("a*/hydra/*/*.log")
    assert written.read_text().endswith("/a\\x1b[31m\n")


@pytest.mark.parametrize("section", ["decoding", "scoring", "wandb"])
def test_a_key_that_a_part_of_ours_does_not_know_is_no_traceback(
    tmp_path: Path, capsys: Capture, section: str
) -> None:
    small = [
        "corpus.train_questions=100",
        "corpus.test_questions=20",
        "corpus.dev_questions=20",
        "corpus.passages=300",
    ]
    arguments = [f"+{section}.nonsense=1", *small, f"root={tmp_path}"]
    assert main(["evaluate", "system=bm25", *arguments]) == 2
    told = capsys.readouterr().err
    assert f"ltrgr evaluate: SettingsError: {section}.nonsense is not a setting of " in told
    assert "Traceback" not in told
