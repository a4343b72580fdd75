"""The catalogue tells which artefact is which from what they wrote themselves."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ltrgr.pipeline.artefact import Artefact
from ltrgr.pipeline.catalogue import catalogue, children, differences


def made(root: Path, stage: str, **inputs: object) -> Artefact:
    artefact = Artefact(root=root, stage=stage, inputs=inputs)
    artefact.build(lambda partial: (partial / "weights").write_bytes(bytes(1000)))
    return artefact


def test_line_of_descent_state_size_and_orphans(tmp_path: Path) -> None:
    index = made(tmp_path, "index", views={"title": {}})
    model = made(tmp_path, "pretrain", index=index.fingerprint, settings={"seed": 3})
    lists = made(tmp_path, "mine", model=model.fingerprint)
    ranked = made(tmp_path, "rank", mined=lists.fingerprint)
    made(tmp_path, "evaluate", model=ranked.fingerprint, system="rank")
    bm25 = made(tmp_path, "evaluate", model=None, system="bm25")
    begun = Artefact(root=tmp_path, stage="rank", inputs={"mined": lists.fingerprint, "seed": 1})
    with pytest.raises(RuntimeError), begun.writing():
        raise RuntimeError

    entries = catalogue(tmp_path)
    assert [entry.stage for entry in entries] == [
        *("index", "pretrain", "mine", "rank", "rank", "evaluate", "evaluate")
    ]
    assert sorted(e.state for e in entries if e.stage == "rank") == ["begun", "done"]
    assert all(entry.size >= 1000 for entry in entries if entry.state == "done")
    assert {e.name for e in children(None, entries)} == {
        index.directory.name,
        bm25.directory.name,
    }
    mined = next(entry for entry in entries if entry.stage == "mine")
    assert [child.stage for child in children(mined, entries)] == ["rank", "rank"]

    shutil.rmtree(lists.directory)
    (ranked.directory / "DONE.json").unlink()
    entries = catalogue(tmp_path)
    assert [e.stage for e in children(None, entries) if e.parent] == ["rank", "rank"]
    assert sorted(e.state for e in entries if e.stage == "rank") == ["begun", "broken"]


def test_only_settings_that_differ_are_told(tmp_path: Path) -> None:
    settings = {"steps": 5, "seed": 0, "objective": {"terms": {"rank1": {"call": "a.b:margin"}}}}
    made(tmp_path, "rank", mined="f" * 64, settings=settings)
    usual = {
        "mined": "0" * 64,
        "settings": {
            **{"steps": 120, "seed": 0, "since": 1},
            "objective": {"terms": {"rank1": {"call": "a.b:ranknet"}}},
        },
    }
    (entry,) = catalogue(tmp_path)
    assert differences(entry, usual) == ["rank1.call=margin", "steps=5"]
