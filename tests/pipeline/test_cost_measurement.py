"""The cost stage: both models search in turns, over one index."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ltrgr.corpus.records import Corpus
from ltrgr.pipeline.cost_measurement import cost
from ltrgr.typed import SettingsError
from tiny_pipeline import pipeline


def test_turns_before_and_after_over_one_index(tmp_path: Path, corpus: Corpus) -> None:
    built = pipeline(tmp_path, corpus)
    directory = cost(built, turns=3)
    found = json.loads((directory / "cost.json").read_text())
    before, after = found["systems"]["pretrain"], found["systems"]["rank"]
    for same in ("index", "index_bytes", "parameters"):
        assert before[same] == after[same]
    assert before["index"] == built.indexed.directory.name
    assert len(before["seconds"]) == len(after["keys"]) == 3
    assert min(before["seconds"] + after["seconds"] + before["keys"]) > 0
    assert found["ratio"]["low"] <= found["ratio"]["median"] <= found["ratio"]["high"]
    assert list(found["stages"]) == ["index", "pretrain", "mine", "rank"]
    assert (directory / "cost.png").read_bytes().startswith(b"\x89PNG")
    written = (directory / "DONE.json").stat().st_mtime_ns
    assert cost(built, turns=3) == directory
    assert (directory / "DONE.json").stat().st_mtime_ns == written


def test_one_turn_has_no_spread(tmp_path: Path, corpus: Corpus) -> None:
    with pytest.raises(SettingsError, match="turns=1: expected 2 or more"):
        cost(pipeline(tmp_path, corpus), turns=1)
    assert not list(tmp_path.iterdir())
