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
from ltrgr.pipeline.indexing import open_serialised
from ltrgr.pipeline.progress import watch
from ltrgr.pipeline.road import Road
from ltrgr.report.exposure import exposure_picture
from ltrgr.retrieval.retriever import Retriever


def expose(road: Road, systems: Sequence[str]) -> Path:
    """Measure ``pretrain`` (before learning to rank), ``rank`` (after), or both in one picture.

    Trains what is not trained yet. The directory holds ``exposure.json``, system -> view ->
    ``analysis.exposure.summarise``, and ``exposure.png``. Of ``evaluation`` it reads split,
    questions and beams.

    Raises:
        ArtefactError: another system, or none.
    """
    known = {"pretrain": road.pretrained, "rank": road.ranked}
    if not systems or set(systems) - set(known):
        raise ArtefactError(f"systems={list(systems)}: expected some of {list(known)}")
    chosen = [name for name in known if name in systems]
    decoding = replace(road.decoding, beams=road.evaluation.beams or road.decoding.beams)
    artefact = Artefact(
        root=road.root,
        stage="exposure",
        inputs={
            "models": {name: known[name].fingerprint for name in chosen},
            "corpus": road.corpus.checksum,
            "split": road.evaluation.split,
            "questions": road.evaluation.questions,
            "decoding": describe(decoding),
        },
    )
    if artefact.is_done():
        return artefact.open()
    retrievers = {name: road.open(name) for name in chosen}
    for retriever in retrievers.values():
        retriever.decoding = decoding
    return artefact.build(lambda directory: _write(directory, road, retrievers))


def _write(directory: Path, road: Road, retrievers: Mapping[str, Retriever]) -> None:
    measured = {name: _measure(road, name, retriever) for name, retriever in retrievers.items()}
    write_atomically(directory / "exposure.json", json.dumps(measured, indent=1))
    write_atomically(directory / "exposure.png", exposure_picture(measured))


def _measure(road: Road, name: str, retriever: Retriever) -> dict[str, Any]:
    """view -> what it shows, for one system"""
    questions = tokenise_questions(
        road.evaluation.of(road.corpus),
        road.corpus.passages,
        vocabulary=retriever.vocabulary,
        longest=retriever.decoding.longest_question,
    )
    batches = [
        views
        for _, views in watch(
            observe(retriever, open_serialised(retriever.index_directory), questions),
            total=len(questions.offsets) - 1,
            description=f"exposure {road.evaluation.split}: {name}",
            shown=road.compute.progress,
        )
    ]
    return {view: summarise(join([batch[view] for batch in batches])) for view in batches[0]}
