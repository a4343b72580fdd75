from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from ltrgr.finished import sealed
from ltrgr.pipeline.artefact import FORMAT, Artefact, ArtefactError

INPUTS = {"corpus": {"name": "demo"}, "margin": 500}


def artefact(root: Path, **changes: object) -> Artefact:
    return Artefact(root=root, stage="index", inputs={**INPUTS, **changes})


def make(partial: Path) -> None:
    (partial / "sub").mkdir(exist_ok=True)
    (partial / "sub" / "rows.bin").write_bytes(b"12345")


def edit_done(directory: Path, **changes: object) -> None:
    path = directory / "DONE.json"
    path.write_text(json.dumps(sealed(json.loads(path.read_text()) | changes)))


def child(root: Path, body: str) -> subprocess.Popen[str]:
    """Start a process that runs ``body`` with ``a`` an Artefact at ``root``."""
    head = f"""
        import json, os, sys, time
        from pathlib import Path
        from ltrgr.pipeline.artefact import Artefact
        a = Artefact(root=Path({str(root)!r}), stage="index", inputs={INPUTS!r})
        """
    code = textwrap.dedent(head) + textwrap.dedent(body)
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


def test_build_makes_once_and_leaves_the_documented_files(tmp_path: Path) -> None:
    calls = []
    one = artefact(tmp_path)
    for _ in range(2):
        directory = one.build(lambda partial: (calls.append(1), make(partial)), seed=7)
    assert len(calls) == 1
    assert directory == tmp_path / "index" / one.fingerprint[:12]
    names = {p.relative_to(directory).as_posix() for p in directory.rglob("*") if p.is_file()}
    assert names == {"config.yaml", "environment.json", "DONE.json", "sub/rows.bin"}
    done = json.loads((directory / "DONE.json").read_text())
    assert (done["format"], done["stage"]) == (FORMAT, "index")
    assert done["fingerprint"] == one.fingerprint
    assert [(f["path"], f["size"]) for f in done["files"]][2:] == [("sub/rows.bin", 5)]
    assert (directory / "config.yaml").read_text() == "corpus:\n  name: demo\nmargin: 500\n"
    environment = json.loads((directory / "environment.json").read_text())
    assert environment["seed"] == 7
    assert environment["packages"]["numpy"] is not None
    assert not one.partial.exists()


def test_other_inputs_or_stage_have_another_directory(tmp_path: Path) -> None:
    one = artefact(tmp_path)
    assert one.directory != artefact(tmp_path, margin=501).directory
    assert one.fingerprint == artefact(tmp_path / "elsewhere", margin=500.0).fingerprint
    other = Artefact(root=tmp_path, stage="mine", inputs=INPUTS)
    assert one.fingerprint != other.fingerprint


def test_open_of_a_missing_artefact_names_command_and_nearest(tmp_path: Path) -> None:
    artefact(tmp_path, margin=100).build(make)
    with pytest.raises(ArtefactError) as caught:
        artefact(tmp_path).open()
    text = str(caught.value)
    assert "does not exist" in text
    assert "margin: 100 -> 500" in text
    assert text.endswith("Build it with: ltrgr index")


def truncate(directory: Path) -> None:
    (directory / "sub" / "rows.bin").write_bytes(b"1234")


def remove(directory: Path) -> None:
    (directory / "sub" / "rows.bin").unlink()


def cut_done(directory: Path) -> None:
    path = directory / "DONE.json"
    path.write_text(path.read_text()[:40])


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (truncate, "rows.bin has 4 bytes; expected 5"),
        (remove, "rows.bin is missing"),
        (cut_done, "no readable DONE.json"),
        (lambda d: (d / "DONE.json").unlink(), "no readable DONE.json"),
        (lambda d: edit_done(d, stage="mine"), "stage 'mine'; expected 'index'"),
        (lambda d: edit_done(d, version=2), "version 2; expected 1"),
        (lambda d: edit_done(d, format=FORMAT + 1), f"format {FORMAT + 1}; expected {FORMAT}"),
        (lambda d: edit_done(d, fingerprint="0" * 64), "fingerprint '0000"),
    ],
)
def test_an_invalid_directory_is_refused_moved_aside_and_rebuilt(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: object, reason: str
) -> None:
    one = artefact(tmp_path)
    damage(one.build(make))  # type: ignore[operator]
    assert not one.is_done()
    with pytest.raises(ArtefactError, match=reason):
        one.open()
    directory = one.build(make)
    aside = directory.with_name(f"{directory.name}.broken-1")
    assert aside.is_dir()
    assert str(aside) in caplog.text
    assert (directory / "sub" / "rows.bin").read_bytes() == b"12345"
    truncate(directory)
    one.build(make)
    assert directory.with_name(f"{directory.name}.broken-2").is_dir()


def test_a_foreign_directory_of_the_same_name_is_moved_aside(tmp_path: Path) -> None:
    one = artefact(tmp_path)
    one.directory.mkdir(parents=True)
    (one.directory / "thesis.tex").write_text("precious")
    one.build(make)
    assert (Path(f"{one.directory}.broken-1") / "thesis.tex").read_text() == "precious"


def test_verify_finds_bytes_that_changed_without_changing_size(tmp_path: Path) -> None:
    one = artefact(tmp_path)
    directory = one.build(make)
    one.verify()
    (directory / "sub" / "rows.bin").write_bytes(b"12346")
    assert one.is_done()
    with pytest.raises(ArtefactError, match=r"rows\.bin has blake2b"):
        one.verify()


def test_a_failed_block_leaves_nothing_done_and_resume_keeps_its_files(tmp_path: Path) -> None:
    one = artefact(tmp_path)
    with pytest.raises(RuntimeError), one.writing() as partial:
        assert partial is not None
        (partial / "checkpoint").write_text("step 10")
        raise RuntimeError
    assert not one.is_done()
    with one.writing(resume=True) as partial:
        assert partial is not None
        assert (partial / "checkpoint").read_text() == "step 10"
    assert json.loads((one.open() / "DONE.json").read_text())["resumed"] is True


@pytest.mark.parametrize("foreign", [True, False])
def test_a_partial_directory_is_cleared_when_foreign_or_not_to_be_resumed(
    tmp_path: Path, foreign: bool
) -> None:
    one = artefact(tmp_path)
    with pytest.raises(RuntimeError), one.writing() as partial:
        assert partial is not None
        (partial / "checkpoint").write_text("step 10")
        if foreign:
            (partial / "PARTIAL.json").write_text('{"fingerprint": "another"}')
        raise RuntimeError
    with one.writing(resume=foreign) as partial:
        assert partial is not None
        assert not (partial / "checkpoint").exists()


def test_a_killed_process_leaves_no_artefact_and_its_checkpoint_is_resumed(tmp_path: Path) -> None:
    body = """
        with a.writing() as partial:
            (partial / "checkpoint").write_text("step 3")
            (partial / "half.bin").write_bytes(b"123")
            print("ready", flush=True)
            time.sleep(60)
        """
    with child(tmp_path, body) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        os.kill(process.pid, signal.SIGKILL)
    one = artefact(tmp_path)
    assert not one.is_done()
    with one.writing(resume=True) as partial:  # the dead process holds no lock
        assert partial is not None
        assert (partial / "checkpoint").read_text() == "step 3"
        (partial / "half.bin").write_bytes(b"123456")
    assert (one.open() / "half.bin").read_bytes() == b"123456"


def test_a_process_killed_before_its_rename_can_resume(tmp_path: Path) -> None:
    body = """
        Path.rename = lambda self, target: os.kill(os.getpid(), 9)
        a.build(lambda partial: (partial / "checkpoint").write_text("all"))
        """
    with child(tmp_path, body) as process:
        assert process.wait() == -signal.SIGKILL
    one = artefact(tmp_path)
    assert (one.partial / "DONE.json").is_file()
    assert not one.is_done()
    with one.writing(resume=True) as partial:
        assert partial is not None
        assert (partial / "checkpoint").read_text() == "all"
    assert one.is_done()


def test_of_two_processes_one_builds_and_the_other_waits_and_finds_it(tmp_path: Path) -> None:
    body = """
        def make(partial):
            with (a.root / "calls").open("a") as file:
                file.write("x")
            time.sleep(0.5)
            (partial / "rows").write_text("rows")
        print(a.build(make) == a.directory, flush=True)
        """
    both = [child(tmp_path, body) for _ in range(2)]
    assert [process.communicate(timeout=20)[0] for process in both] == ["True\n", "True\n"]
    assert (tmp_path / "calls").read_text() == "x"


def test_writing_yields_none_when_it_is_already_done(tmp_path: Path) -> None:
    one = artefact(tmp_path)
    one.build(make)
    before = (one.directory / "DONE.json").stat().st_mtime_ns
    time.sleep(0.01)
    with one.writing() as partial:
        assert partial is None
    assert (one.directory / "DONE.json").stat().st_mtime_ns == before


def test_an_artefact_is_made_again_and_the_old_one_stays_until_then(tmp_path: Path) -> None:
    artefact = Artefact(root=tmp_path, stage="index", inputs={"a": 1})
    first = artefact.build(lambda folder: (folder / "x").write_text("old"))
    seen = []

    def make(folder: Path) -> None:
        seen.append((first / "x").read_text())
        (folder / "x").write_text("new")

    assert artefact.build(make) == first
    assert seen == []
    assert artefact.build(make, again=True) == first
    assert (seen, (first / "x").read_text()) == (["old"], "new")
    artefact.verify()
    assert sorted(path.name for path in first.parent.iterdir()) == [
        first.name,
        f"{first.name}.lock",
    ]

    def fail(folder: Path) -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        artefact.build(fail, again=True)
    assert (artefact.open() / "x").read_text() == "new"
