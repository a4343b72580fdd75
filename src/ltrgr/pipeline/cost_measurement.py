"""Stage "cost": what search costs before and after learning to rank, in numbers and a picture."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ltrgr.analysis.cost import Turn, ratio, take_turns
from ltrgr.disk import write_atomically
from ltrgr.pipeline.artefact import Artefact
from ltrgr.pipeline.describe import describe
from ltrgr.pipeline.pipeline import Pipeline
from ltrgr.pipeline.progress import watch
from ltrgr.report.cost_figure import cost_figure
from ltrgr.report.png import as_png
from ltrgr.retrieval.retriever import Retriever
from ltrgr.typed import SettingsError


def cost(pipeline: Pipeline, *, turns: int) -> Path:
    """Search with stage 1 and with stage 2 in turns, ``decoding.batch_size`` questions a turn.

    Trains what is not trained yet. The directory holds ``cost.json`` (system -> seconds and keys
    per question, bytes, parameters; the ratio of the two; seconds that each stage took) and
    ``cost.png``. Seconds are this machine's; nothing else should run beside.

    Raises:
        SettingsError: fewer than 2 turns.
    """
    if turns < 2:
        raise SettingsError(f"turns={turns}: expected 2 or more")
    artefact = Artefact(
        root=pipeline.root,
        stage="cost",
        inputs={
            "models": {
                "pretrain": pipeline.pretrained.fingerprint,
                "rank": pipeline.ranked.fingerprint,
            },
            "corpus": pipeline.corpus.checksum,
            "split": pipeline.evaluation.split,
            "passages": pipeline.evaluation.passages,
            "decoding": describe(pipeline.decoding),
            "scoring": describe(pipeline.scoring),
            "turns": turns,
        },
    )
    if artefact.is_done():
        return artefact.open()
    retrievers = {name: pipeline.open(name) for name in ("pretrain", "rank")}
    return artefact.build(lambda directory: _write(directory, pipeline, retrievers, turns))


def _write(
    directory: Path, pipeline: Pipeline, retrievers: Mapping[str, Retriever], turns: int
) -> None:
    batches = _batches(pipeline, turns)
    taken = [
        turn
        for _, turn in watch(
            take_turns(retrievers, batches, k=pipeline.evaluation.passages),
            total=sum(map(len, batches)),
            description=f"cost {pipeline.evaluation.split}",
            shown=pipeline.compute.progress,
        )
    ]
    seconds = {name: np.array([turn[name].seconds for turn in taken]) for name in retrievers}
    found: dict[str, Any] = {
        "systems": {
            name: _system(retriever, [turn[name] for turn in taken])
            for name, retriever in retrievers.items()
        },
        "ratio": ratio(seconds["rank"], seconds["pretrain"], seed=0),
        "questions_a_turn": len(batches[0]),
        "stages": {
            artefact.stage: artefact.seconds
            for artefact in (pipeline.indexed, pipeline.pretrained, pipeline.mined, pipeline.ranked)
        },
    }
    write_atomically(directory / "cost.json", json.dumps(found, indent=1))
    write_atomically(directory / "cost.png", as_png(cost_figure(found)))


def _batches(pipeline: Pipeline, turns: int) -> list[list[str]]:
    """A batch of questions for each turn; from the first again when they run out."""
    texts = [query.text for query in pipeline.evaluation.of(pipeline.corpus).queries]
    size = min(pipeline.decoding.batch_size, len(texts))
    starts = (turn * size % (len(texts) - size + 1) for turn in range(turns))
    return [texts[start : start + size] for start in starts]


def _system(retriever: Retriever, turns: Sequence[Turn]) -> dict[str, Any]:
    index = retriever.index_directory
    return {
        "index": index.name,
        "index_bytes": sum(path.stat().st_size for path in index.rglob("*") if path.is_file()),
        "parameters": sum(parameter.numel() for parameter in retriever.model.parameters()),
        "seconds": [turn.seconds for turn in turns],
        "keys": [turn.keys for turn in turns],
    }
