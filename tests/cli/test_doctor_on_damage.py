"""The doctor looks at folders of every kind of damage, says so, and ends well."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from ltrgr.cli.artefact_map import artefact_map
from ltrgr.cli.doctor import doctor
from ltrgr.pipeline.artefact import Artefact
from ltrgr.pipeline.catalogue import STAGES
from ltrgr.pipeline.generation_check import Validation

DAMAGES = {
    "empty": b"",
    "cut": b'{"stage": "pretrain", "ver',
    "list": b"[]",
    "number": b"3",
    "null": b"null",
    "no text": b"\xff\xfe\x00\x9f",
    "deep": b"[" * 100_000,
    "wrong types": b'{"stage": ["pretrain"], "version": {}, "files": 3, "inputs": 7, "figures": 1}',
    "wrong values": b'{"stage": "pretrain", "version": "x", "inputs": [], "figures": {"a": null}}',
    "inputs": b"settings: 3\nviews: 7\nnetwork: [1]\nindex: {a: 1}\nmodel: [x]\nsystem: {b: 2}\n",
    "more inputs": b"settings: {seed: [1]}\nnetwork: {checkpoint: {a: 1}, call: 3}\nviews: {1: 2}",
    "yaml": b"a: &x [*x, !!python/object/apply:os.system [ls]]\n",
    "dates": b"settings: {steps: 2020-01-01}\n",
}


def look(root: Path, conf: Path) -> str:
    out = StringIO()
    console = Console(file=out, width=200)
    usual = {stage: {"settings": {"seed": 0, "steps": 5}} for stage in STAGES}
    console.print(artefact_map(root, usual=usual) or "")
    doctor(root=root, conf=conf, console=console, free_gb=0.0, wandb_mode="offline")
    return out.getvalue()


def made(root: Path) -> Artefact:
    inputs = {"index": "0" * 64, "settings": {"seed": 0, "steps": 7}}
    model = Artefact(root=root, stage="pretrain", inputs=inputs)
    figures = {"dev/identifiers/title": 0.9}
    whole = Validation(step=1, monitor="m", figures=figures)
    model.build(whole.save)
    return model


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["DONE.json", "config.yaml", "validation.json"])
def test_one_damaged_file(tmp_path: Path, conf: Path, name: str, damage: str) -> None:
    root = tmp_path / "runs"
    model = made(root)
    (model.directory / name).write_bytes(DAMAGES[damage])
    told = look(root, conf)
    assert f"pretrain/{model.directory.name}" in told
    assert "1 damaged" in told and "1 done" not in told
    named = "DONE.json" if name == "DONE.json" else f"its file {name} has "
    assert named in told.partition("made again when next used")[2]


def test_what_is_no_artefact_at_all(tmp_path: Path, conf: Path) -> None:
    root = tmp_path / "runs"
    model = made(root)
    (root / "mine").write_text("a file where a folder was")
    (root / "rank").symlink_to(tmp_path / "nowhere")
    (root / "evaluate").mkdir()
    (root / "evaluate" / "0123456789ab").symlink_to(root / "evaluate" / "0123456789ab")
    (model.directory / "weights").symlink_to(tmp_path / "nowhere")
    (model.directory / "loop").symlink_to(model.directory)
    (model.directory / "DONE.json").unlink()
    (model.directory / "DONE.json").mkdir()
    assert "1 damaged" in look(root, conf)
    root_file = tmp_path / "file"
    root_file.touch()
    assert "nothing yet at" in look_at_map_only(root_file, conf)


def look_at_map_only(root: Path, conf: Path) -> str:
    assert artefact_map(root, usual={}) is None
    from ltrgr.cli.doctor import artefacts

    return artefacts(root)[0].value
