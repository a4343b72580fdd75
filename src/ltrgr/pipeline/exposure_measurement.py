"""Stage "exposure": exposure bias of the models of one configuration, in numbers and a picture."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ltrgr.analysis.exposure import join, observe, summarise
from ltrgr.disk import write_atomically
from ltrgr.identifiers.tokenised import tokenise_questions
from ltrgr.pipeline.artefact import Artefact, ArtefactError
from ltrgr.pipeline.describe import describe
from ltrgr.pipeline.index_stage import open_serialised
from ltrgr.pipeline.pipeline import Pipeline
from ltrgr.pipeline.progress import watch
from ltrgr.report.exposure_figure import exposure_figure
from ltrgr.report.png import as_png
from ltrgr.retrieval.retriever import Retriever


def expose(pipeline: Pipeline, systems: Sequence[str]) -> Path:
    """Measure ``pretrain`` (before learning to rank), ``rank`` (after), or both in one picture.

    Trains what is not trained yet. The directory holds ``exposure.json``, system -> view ->
    ``analysis.exposure.summarise``, and ``exposure.png``. Of ``evaluation`` it reads split,
    questions and beams.

    Raises:
        ArtefactError: another system, or none.
    """
    known = {"pretrain": pipeline.pretrained, "rank": pipeline.ranked}
    if not systems or set(systems) - set(known):
        raise ArtefactError(f"systems={list(systems)}: expected some of {list(known)}")
    chosen = [name for name in known if name in systems]
    decoding = replace(
        pipeline.decoding, num_beams=pipeline.evaluation.num_beams or pipeline.decoding.num_beams
    )
    artefact = Artefact(
        root=pipeline.root,
        stage="exposure",
        inputs={
            "models": {name: known[name].fingerprint for name in chosen},
            "corpus": pipeline.corpus.checksum,
            "split": pipeline.evaluation.split,
            "questions": pipeline.evaluation.questions,
            "decoding": describe(decoding),
        },
    )
    if artefact.is_done():
        return artefact.open()
    retrievers = {name: pipeline.open(name).with_(decoding=decoding) for name in chosen}
    return artefact.build(lambda directory: _write(directory, pipeline, retrievers))


def _write(directory: Path, pipeline: Pipeline, retrievers: Mapping[str, Retriever]) -> None:
    measured = {name: _measure(pipeline, name, retriever) for name, retriever in retrievers.items()}
    write_atomically(directory / "exposure.json", json.dumps(measured, indent=1))
    write_atomically(directory / "exposure.png", as_png(exposure_figure(measured)))


def _measure(pipeline: Pipeline, name: str, retriever: Retriever) -> dict[str, Any]:
    """view -> what it shows, for one system"""
    questions = tokenise_questions(
        pipeline.evaluation.of(pipeline.corpus),
        pipeline.corpus.passages,
        vocabulary=retriever.vocabulary,
        longest=retriever.decoding.max_question_length,
    )
    batches = [
        views
        for _, views in watch(
            observe(retriever, open_serialised(retriever.index_directory), questions),
            total=len(questions.offsets) - 1,
            description=f"exposure {pipeline.evaluation.split}: {name}",
            shown=pipeline.compute.progress,
        )
    ]
    return {view: summarise(join([batch[view] for batch in batches])) for view in batches[0]}
