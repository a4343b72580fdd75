from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ltrgr.cli.completion import split_line
from ltrgr.cli.main import COMMANDS, main

Run = Callable[..., int]
Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    "case",
    [
        ("ltrgr ", set(COMMANDS)),
        ("ltrgr ra", {"rank"}),
        ("ltrgr zz", set()),
        ("ltrgr rank lo", {"loss=", "loss."}),
        ("ltrgr rank loss=", {"loss=margin", "loss=infonce"}),
        ("ltrgr rank loss.", {"loss.margin=", "loss.lambda_generation="}),
        ("ltrgr rank loss=infonce loss.", {"loss.temperature="}),
        ("ltrgr rank -m seed", {"seed="}),
        ("ltrgr nowhere loss.", set()),
    ],
)
@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_query_completes_verbs_then_the_verbs_config(
    ltrgr: Run,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
    shell: str,
    case: tuple[str, set[str]],
) -> None:
    line, expected = case
    monkeypatch.setenv("COMP_LINE", line)
    monkeypatch.setenv("COMP_POINT", str(len(line)))
    assert ltrgr("-sc", f"query={shell}") == 0
    assert set(capsys.readouterr().out.split()) - {"loss"} == expected


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("lo", {"loss=", "loss."}),
        ("+lo", {"+loss="}),
        ("loss/", set()),
        ("loss/base=", set()),
        ("loss=ltrgr_r", {"loss=ltrgr_relative_margin"}),
    ],
)
def test_what_options_start_from_is_no_choice(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, typed: str, expected: set[str]
) -> None:
    """``conf/loss/base`` is a folder of bases; Hydra by itself would offer it as a group."""
    line = f"ltrgr rank {typed}"
    monkeypatch.setenv("COMP_LINE", line)
    monkeypatch.setenv("COMP_POINT", str(len(line)))
    assert main(["-sc", "query=bash"]) == 0
    assert set(capsys.readouterr().out.split()) == expected


def test_a_path_with_a_folder_base_is_completed(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "base" / "runs").mkdir(parents=True)
    line = f"ltrgr rank root={tmp_path}/base/r"
    monkeypatch.setenv("COMP_LINE", line)
    monkeypatch.setenv("COMP_POINT", str(len(line)))
    assert main(["-sc", "query=bash"]) == 0
    assert capsys.readouterr().out.split() == [f"root={tmp_path}/base/runs"]


def test_the_verb_leaves_the_line_and_the_cursor_moves_by_as_much() -> None:
    assert split_line("ltrgr rank loss.") == ("rank", "ltrgr loss.", 5)
    assert split_line("ltrgr ran") == (None, "ltrgr ran", 0)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_install_prints_a_script_for_ltrgr(ltrgr: Run, capsys: Capture, shell: str) -> None:
    assert ltrgr("--shell-completion", f"install={shell}") == 0
    script = capsys.readouterr().out
    assert "complete -c ltrgr" in script if shell == "fish" else script.rstrip().endswith(" ltrgr")


def test_an_unknown_shell_is_refused(ltrgr: Run, capsys: Capture) -> None:
    assert ltrgr("-sc", "install=tcsh") == 2
    assert "'bash', 'zsh', 'fish'" in capsys.readouterr().err


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_itself_completes_a_verb(ltrgr: Run, capsys: Capture) -> None:
    assert ltrgr("-sc", "install=bash") == 0
    script = capsys.readouterr().out + (
        "\nCOMP_LINE='ltrgr ra' COMP_POINT=8 COMP_CWORD=1\nhydra_bash_completion\n"
        'echo "reply:${COMPREPLY[*]}"\n'
    )
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PATH": path},
    )
    assert "reply:rank" in done.stdout
