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
from ltrgr.pipeline.progress import watch
from ltrgr.pipeline.road import Road
from ltrgr.pipeline.settings import SettingsError
from ltrgr.report.cost import cost_picture
from ltrgr.retrieval.retriever import Retriever


def cost(road: Road, *, turns: int) -> Path:
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
        root=road.root,
        stage="cost",
        inputs={
            "models": {"pretrain": road.pretrained.fingerprint, "rank": road.ranked.fingerprint},
            "corpus": road.corpus.checksum,
            "split": road.evaluation.split,
            "passages": road.evaluation.passages,
            "decoding": describe(road.decoding),
            "scoring": describe(road.scoring),
            "turns": turns,
        },
    )
    if artefact.is_done():
        return artefact.open()
    retrievers = {name: road.open(name) for name in ("pretrain", "rank")}
    return artefact.build(lambda directory: _write(directory, road, retrievers, turns))


def _write(directory: Path, road: Road, retrievers: Mapping[str, Retriever], turns: int) -> None:
    batches = _batches(road, turns)
    taken = [
        turn
        for _, turn in watch(
            take_turns(retrievers, batches, k=road.evaluation.passages),
            total=sum(map(len, batches)),
            description=f"cost {road.evaluation.split}",
            shown=road.compute.progress,
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
            artefact.stage: json.loads((artefact.open() / "DONE.json").read_text())["seconds"]
            for artefact in (road.indexed, road.pretrained, road.mined, road.ranked)
        },
    }
    write_atomically(directory / "cost.json", json.dumps(found, indent=1))
    write_atomically(directory / "cost.png", cost_picture(found))


def _batches(road: Road, turns: int) -> list[list[str]]:
    """A batch of questions for each turn; from the first again when they run out."""
    texts = [query.text for query in road.evaluation.of(road.corpus).queries]
    size = min(road.decoding.batch_size, len(texts))
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
