"""Files that are there whole or not at all; a full disk itself is in tests/reliability."""

from __future__ import annotations

from pathlib import Path

import pytest

from ltrgr.disk import write_atomically


def test_write_atomically_replaces_and_leaves_no_temporary(tmp_path: Path) -> None:
    path = tmp_path / "table.md"
    path.write_text("old and longer")
    write_atomically(path, "new")
    write_atomically(tmp_path / "raw", b"\x00\x01")
    assert path.read_text() == "new"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["raw", "table.md"]


def test_a_write_that_fails_leaves_the_old_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "table.md"
    path.write_text("old")

    def refuse(descriptor: int) -> None:
        raise OSError("the disk went away")

    monkeypatch.setattr("ltrgr.disk.os.fsync", refuse)
    with pytest.raises(OSError, match="went away"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["table.md"]
