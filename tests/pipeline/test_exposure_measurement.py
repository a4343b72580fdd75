"""The exposure stage: both models measured together, found again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ltrgr.corpus.records import Corpus
from ltrgr.pipeline.artefact import ArtefactError
from ltrgr.pipeline.exposure_measurement import expose
from tiny_pipeline import pipeline


def test_before_and_after_in_one_artefact(tmp_path: Path, corpus: Corpus) -> None:
    built = pipeline(tmp_path, corpus)
    directory = expose(built, ["rank", "pretrain"])
    measured = json.loads((directory / "exposure.json").read_text())
    assert list(measured) == ["pretrain", "rank"]
    assert list(measured["rank"]) == ["title", "body", "query"]
    assert measured["rank"]["title"]["questions"] == len(corpus.test.queries)
    assert (directory / "exposure.png").read_bytes().startswith(b"\x89PNG")
    written = (directory / "DONE.json").stat().st_mtime_ns
    assert expose(built, ["pretrain", "rank"]) == directory
    assert (directory / "DONE.json").stat().st_mtime_ns == written
    shutil.rmtree(built.indexed.directory)  # or of an older format: models stay good
    assert expose(built, ["pretrain"]) != directory


def test_a_system_without_a_model_is_refused(tmp_path: Path, corpus: Corpus) -> None:
    for systems in (["bm25"], []):
        with pytest.raises(ArtefactError, match="expected some of"):
            expose(pipeline(tmp_path, corpus), systems)
    assert not list(tmp_path.iterdir())
