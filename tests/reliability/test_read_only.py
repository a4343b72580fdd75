"""Read-only homes, checkouts and artefacts: what only reads goes on reading."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import ltrgr
from ltrgr.cli.main import config_directory, main
from ltrgr.decoding.decoding_settings import DecodingSettings
from ltrgr.pipeline.index_stage import open_vocabulary
from ltrgr.retrieval.retriever import Retriever
from ltrgr.scoring.scoring_settings import ScoringSettings
from tiny_world import MINDER

Capture = pytest.CaptureFixture[str]

MOUNT = "mount --bind {0} {0} && mount -o remount,ro,bind {0}"
"""makes a folder read-only, for root as well, in a mount namespace of its own"""


@pytest.fixture
def share(minder_index: Path, trained_model: Any, tmp_path: Path) -> Path:
    """A folder with a retriever and its index."""
    folder = tmp_path / "share"
    shutil.copytree(minder_index, folder / "index")
    (folder / "model").mkdir()
    Retriever(
        model=trained_model,
        vocabulary=open_vocabulary(folder / "index", MINDER),
        index_directory=folder / "index",
        scoring=ScoringSettings(),
        decoding=DecodingSettings(num_beams=4),
    ).save(folder / "model", index="../index")
    return folder


def files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


@pytest.mark.parametrize("root", ["runs", "/dev/null/runs"])
def test_a_search_with_a_given_retriever_writes_nothing(
    share: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, root: str
) -> None:
    monkeypatch.chdir(share)
    before = files(share)
    assert main(["search", "who wrote it?", "retriever=model", f"root={root}", "k=1"]) == 0
    told = capsys.readouterr()
    assert "1. " in told.out and told.err == ""
    assert files(share) == before


@pytest.mark.parametrize("command", ["doctor", "report"])
def test_commands_that_read_keep_no_folder_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    main([command])
    assert files(tmp_path) == []


def test_other_commands_keep_theirs_with_a_log(tmp_path: Path) -> None:
    assert main(["evaluate", f"root={tmp_path}", "corpus.passages=1200", "system=none"]) == 2
    (folder,) = (tmp_path / "hydra").iterdir()
    assert {path.name for path in folder.iterdir()} == {".hydra", "main.log"}


@pytest.mark.slow
def test_all_of_it_on_a_read_only_disk(share: Path, tmp_path: Path) -> None:
    """Home, package, artefacts and working directory; only the temporary folder can be written."""
    (tmp_path / "tmp").mkdir()
    (share / "home").mkdir()
    package = Path(ltrgr.__file__).parent
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(package, share / "checkout/src/ltrgr", ignore=ignored)
    shutil.copytree(config_directory(), share / "checkout/conf")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(share / "home"),
        "TMPDIR": str(tmp_path / "tmp"),
        "PYTHONPATH": str(share / "checkout/src"),
    }
    seal = MOUNT.format(share)
    if subprocess.run(["unshare", "-m", "sh", "-c", seal], check=False).returncode:
        pytest.skip("no right to mount here")
    before = files(share)
    for arguments, expected in (
        (["search", "who wrote it?", "retriever=model", "k=1"], "1. "),
        (["doctor", f"root={tmp_path}"], str(tmp_path / "tmp" / "ltrgr-numba-")),
    ):
        command = f'{seal} && cd {share} && exec "$0" -m ltrgr.cli.main "$@"'
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", command, sys.executable, *arguments],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert expected in done.stdout.replace("\n", "").replace(" ", "") or expected in done.stdout
        assert "Traceback" not in done.stderr
    assert files(share) == before
