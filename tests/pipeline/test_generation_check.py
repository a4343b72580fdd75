"""Whether stage 1 has learnt to generate: the figures, the line, the file."""

import json
from pathlib import Path

import pytest

from ltrgr.json_file import DamagedFileError
from ltrgr.pipeline.generation_check import Validation, complaints


def validation(title: float, body: float) -> Validation:
    return Validation(
        step=400,
        monitor="dev/identifier_accuracy",
        figures={
            "dev/token_accuracy": 0.4,
            "dev/identifier_accuracy/title": title,
            "dev/identifier_accuracy/body": body,
            "dev/identifier_accuracy": (title + body) / 2,
        },
    )


def test_one_view_that_works_is_enough() -> None:
    assert validation(0.0, 0.2).generates
    assert not validation(0.19, 0.0).generates
    assert validation(0.7, 0.6).complaint() == ""


def test_the_line_names_the_shares_and_what_to_raise() -> None:
    line = validation(0.03, 0.0).complaint()
    assert "(greedy identifiers right on dev: title 3 %, body 0 %)" in line
    assert "pretrain.steps" in line


def test_what_is_saved_is_read_back(tmp_path: Path) -> None:
    validation(0.03, 0.0).save(tmp_path)
    assert Validation.load(tmp_path) == validation(0.03, 0.0)
    assert json.loads((tmp_path / "validation.json").read_text())["generates"] is False
    (tmp_path / "good").mkdir()
    validation(0.7, 0.6).save(tmp_path / "good")
    lines = complaints({"SEAL": tmp_path, "MINDER": tmp_path / "good", "old": tmp_path / "none"})
    assert [line.split(":")[0] for line in lines] == ["SEAL"]


def test_a_damaged_file_is_no_verdict(tmp_path: Path) -> None:
    for content in ("", "[]", '{"step": 1}', "{"):
        (tmp_path / "validation.json").write_text(content)
        with pytest.raises(DamagedFileError, match=r"validation\.json is .*`ltrgr pretrain`"):
            Validation.load(tmp_path)
        (line,) = complaints({"SEAL": tmp_path})  # a table is printed all the same
        assert line.startswith(f"SEAL: {tmp_path / 'validation.json'} is ")
