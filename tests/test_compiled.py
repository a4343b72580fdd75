"""Compiled code where numba finds no folder to keep it in."""

from __future__ import annotations

import logging
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numba
import pytest

from ltrgr.compiled import must_compile, njit, private_folder
from ltrgr.index.kernels import extend_one

PROGRAM = """
import sys
from ltrgr.compiled import njit
import numba

@njit(cache=True)
def twice(x):
    return 2 * x

print(twice(21), twice.stats.cache_path)
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program whose own ``__pycache__`` cannot be made, not even by root."""
    path = tmp_path / "program" / "twice.py"
    path.parent.mkdir()
    path.write_text(PROGRAM)
    (path.parent / "__pycache__").write_text("a file")
    return path


def run(program: Path, **variables: str) -> tuple[str, str]:
    """What it prints on both streams, in an environment without a home that can be written."""
    source = Path(sys.modules["ltrgr"].__file__ or "").parents[1]
    environment = {"HOME": "/dev/null/home", "PYTHONPATH": str(source), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-B", str(program)],
        capture_output=True,
        text=True,
        env=environment | variables,
        check=True,
    )
    return done.stdout.strip(), done.stderr


def test_numba_itself_refuses_there(program: Path) -> None:
    program.write_text(PROGRAM.replace("from ltrgr.compiled import njit", "from numba import njit"))
    with pytest.raises(subprocess.CalledProcessError) as caught:
        run(program)
    assert "no locator available" in caught.value.stderr


def test_a_private_temporary_folder_keeps_the_code(program: Path, tmp_path: Path) -> None:
    for _ in range(2):  # made, then found
        printed, told = run(program, TMPDIR=str(tmp_path))
        answer, where = printed.split()
        assert answer == "42" and told == ""
        (folder,) = tmp_path.glob("ltrgr-numba-*")
        assert Path(where).parent == folder
        assert folder.stat().st_mode & 0o777 == 0o700
        assert len(list(Path(where).glob("twice.twice*.nbi"))) == 1


def test_the_folder_that_the_user_names_comes_first(program: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    printed, _ = run(program, TMPDIR=str(tmp_path), NUMBA_CACHE_DIR=str(own))
    assert Path(printed.split()[1]).parent == own
    assert not list(tmp_path.glob("ltrgr-numba-*"))
    printed, _ = run(program, TMPDIR=str(tmp_path), NUMBA_CACHE_DIR="/dev/null/own")
    assert Path(printed.split()[1]).parent.parent == tmp_path  # it cannot be written


@pytest.mark.parametrize("trap", ["open to others", "a link", "a file"])
def test_code_is_never_loaded_from_where_others_can_write(
    program: Path, tmp_path: Path, trap: str
) -> None:
    run(program, TMPDIR=str(tmp_path))
    (folder,) = tmp_path.glob("ltrgr-numba-*")
    moved = folder.rename(tmp_path / "moved")
    if trap == "open to others":
        moved.rename(folder).chmod(0o777)
    elif trap == "a link":
        folder.symlink_to(moved)
    else:
        folder.write_text("")
    printed, told = run(program, TMPDIR=str(tmp_path))
    assert printed == "42 None"
    assert told.count("\n") == 1
    assert told.startswith("compiled code cannot be kept, so each run compiles for about a minute")


def test_a_folder_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    owner = tmp_path.stat().st_uid
    monkeypatch.setattr("ltrgr.compiled.os.getuid", lambda: owner + 1)
    with caplog.at_level(logging.WARNING):
        assert private_folder.__wrapped__() is None
    assert "is not a folder of this user alone" in caplog.text


@pytest.fixture
def no_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """numba refuses every function that is to be cached."""

    def refusing(**options: bool) -> object:
        def refuse(function: object) -> object:
            raise RuntimeError("cannot cache function: no locator available")

        return refuse if options.get("cache") else numba.njit(**options)

    monkeypatch.setattr("ltrgr.compiled.numba", SimpleNamespace(njit=refusing))
    monkeypatch.setattr("ltrgr.compiled.private_folder", lambda: None)
    yield


@pytest.mark.usefixtures("no_folder")
def test_without_any_folder_it_compiles_in_each_process() -> None:
    thrice = njit(cache=True, nogil=True)(_thrice)
    assert thrice.stats.cache_path is None
    assert must_compile(thrice)
    assert thrice(14) == 42
    assert not must_compile(thrice)


def test_options_reach_numba() -> None:
    assert extend_one.targetoptions["nogil"] is True


def _thrice(x: int) -> int:
    return 3 * x
