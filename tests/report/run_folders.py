"""Run folders as the stages leave them, with figures made up here: no model is trained."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from ltrgr.report.result_table import Cell, ResultTable, Row, to_json

QUESTIONS = 60
BAD = '<script>alert("x")</script>'
HOSTILE = (
    BAD,
    "</title></script><img src=x onerror=alert(1)>",
    'a\' onmouseover=\'alert(1)\' " onfocus="alert(1)" autofocus="',
    '<a href="javascript:alert(1)">x</a>',
    "<!--<script>{{ 7*7 }}{% raw %}${7*7}%{y}",
    "&lt;b&gt; &#60;i> <b>x</b>",
    "nul\0 escape\x1b[31m and half a pair \udcff \x85\u2028",
)
"""texts that try to be markup, script, template or no text; without a comma: it parts settings"""


def fingerprint(stage: str, inputs: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps([stage, inputs], sort_keys=True).encode()).hexdigest()


def artefact(root: Path, stage: str, inputs: dict[str, Any], **files: Any) -> str:
    """Write one folder; returns its fingerprint. ``files``: name -> content of ``name.json``."""
    mine = fingerprint(stage, inputs)
    folder = root / stage / mine[:12]
    folder.mkdir(parents=True)
    done = {"format": 1, "stage": stage, "fingerprint": mine, "inputs": inputs, "seconds": 1.5}
    environment = {
        "git": {"commit": "0123456789ab", "dirty": False},
        "command": [f"ltrgr {stage}", BAD],
        "time": "2026-01-02T03:04:05+00:00",
    }
    for name, content in {"DONE": done, "environment": environment, **files}.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return mine


def curve(root: Path, stage: str, mine: str, text: str, *, version: int = 0) -> None:
    folder = root / stage / mine[:12] / "curves" / f"version_{version}"
    folder.mkdir(parents=True)
    (folder / "metrics.csv").write_text(text)


def stage_one(root: Path) -> str:
    index = artefact(root, "index", {"corpus": "c" * 64, "views": {"title": {}, "body": {}}})
    model = artefact(
        root, "pretrain", {"index": index, "corpus": "c" * 64, "settings": {"steps": 30}}
    )
    steps = "".join(f",0.001,{s},\n0,,{s},{9 - s / 10}\n" for s in range(0, 30, 5))
    curve(root, "pretrain", model, f"epoch,lr-AdamW,step,train/generation_loss\n{steps}")
    return model


def stage_two(root: Path, model: str, *, margin: float, lam: float, seed: int) -> str:
    mined_inputs = {"model": model, "corpus": "c" * 64, "settings": {"passages": 50}}
    mined = fingerprint("mine", mined_inputs)
    if not (root / "mine" / mined[:12]).exists():
        artefact(root, "mine", mined_inputs)
    loss = {"call": "ltrgr.losses.margin:margin", "margin": margin}
    terms = {
        name: {"is": "Term", "loss": loss, "sampler": {"call": f"s:{sampler}"}, "unit": "one_key"}
        for name, sampler in (("rank1", "top"), ("rank2", "random"))
    }
    settings = {"objective": {"terms": terms, "lambda_generation": lam}, "steps": 20, "seed": seed}
    ranked = artefact(root, "rank", {"mined": mined, "settings": settings})
    header = "dev/mrr@10,step,train/loss,train/rank1,train/rank2,train/one_key_score,"
    rows = "".join(
        f",{s},{90 - s + seed},{50 - s},{40 - s},100,{80 + s},{70 - s}\n"
        f"{0.4 + s / 100},{s + 1},,,,,,\n"
        for s in range(0, 20, 5)
    )
    curve(root, "rank", ranked, f"{header}train/score_positive,train/score_negative\n{rows}")
    return ranked


def evaluation(
    root: Path, system: str, model: str | None, *, right: float, noise: int, shown: bool = True
) -> str:
    """``right``: the share of questions whose first passage is relevant; the same ones in order."""
    rng = np.random.default_rng(noise)
    hits = (np.arange(QUESTIONS) < round(right * QUESTIONS)).astype(float)
    values = {"hits@1": hits, "hits@5": hits, "mrr@10": hits * 0.9 + rng.uniform(0, 0.1, QUESTIONS)}
    settings = {"split": "test", "questions": None, "passages": 100}
    inputs = {"system": system, "model": model, "corpus": "c" * 64, "settings": settings}
    files: dict[str, Any] = {
        "per_question": {
            "query_ids": [f"q{i}" for i in range(QUESTIONS)],
            "values": {name: v.tolist() for name, v in values.items()},
            "seconds_per_question": 0.01,
        },
        "metrics": {name: float(v.mean()) for name, v in values.items()}
        | {"seconds_per_question": 0.01, "questions": QUESTIONS},
    }
    if shown and model:
        place = 1 if system == "rank" else 2
        files |= {"scores": scores(place), "examples": examples(place)}
    return artefact(root, "evaluate", inputs, **files)


def scores(place: int) -> dict[str, Any]:
    counts = {"positive": [0, 1, 3], "negative": [9, 2], "best_positive": [0, 0, 2 * place]}
    return {"width": 5.0, "one_key": 100.0, "questions": 2, **counts, "best_negative": [0, 2]}


def examples(place: int) -> dict[str, Any]:
    def found(view: str, text: str, weight: float) -> dict[str, Any]:
        return {"view": view, "text": text, "count": 3, "weight": weight, "coverage": 1.0}

    hit = {
        "rank": place,
        "id": "p1",
        "score": 120.5,
        "relevant": True,
        "identifiers": 3,
        "matches": [
            found("body", "tall grey lighthouse", 90.0),
            found("title", BAD, 20.0),
            found("body", "the keeper & his dog", 10.0),
        ],
    }
    questions = [
        {"id": "q1", "text": f"who keeps the {BAD}?", "answers": ["a <b>"],
         "first_relevant": place, "hits": [hit]},
        {"id": "q2", "text": "an unrelated zebra", "answers": [], "first_relevant": None,
         "hits": []},
    ]  # fmt: skip
    text = f"A Tall grey  lighthouse stands here, {BAD}, with the keeper & his dog."
    return {"questions": questions, "passages": {"p1": {"title": BAD, "text": text}}}


def sweep(
    root: Path, *, margins: tuple[float, ...], lambdas: tuple[float, ...], seeds: int
) -> list[str]:
    """BM25, stage 1 and a grid of stage-2 systems that gets better with margin and lambda.

    Returns the fingerprints of the grid's evaluations.
    """
    found = []
    evaluation(root, "bm25", None, right=0.5, noise=0)
    model = stage_one(root)
    evaluation(root, "pretrain", model, right=0.3, noise=1)
    for i, margin in enumerate(margins):
        for j, lam in enumerate(lambdas):
            for seed in range(seeds):
                ranked = stage_two(root, model, margin=margin, lam=lam, seed=seed)
                right = 0.4 + 0.5 * (i + j) / max(1, len(margins) + len(lambdas) - 2)
                noise = 100 * i + 10 * j + seed + 2
                found.append(evaluation(root, "rank", ranked, right=right, noise=noise))
    return found


def record_sweep(root: Path, started: str, evaluations: list[str]) -> None:
    """Write the outcomes of a sweep that began at ``started``: one job for each evaluation."""
    for job, one in enumerate(evaluations):
        folder = root / "hydra" / started / str(job)
        folder.mkdir(parents=True)
        (folder / "outcome.json").write_text(json.dumps({"job": job, "measured": one[:12]}))


def saying(root: Path, text: str) -> None:
    """Small runs that hold ``text`` in every place for user text, except the title of the page."""
    sweep(root, margins=(1.0, 2.0), lambdas=(1.0,), seeds=1)
    quoted = json.dumps(text)[1:-1]
    ranked = sorted((root / "rank").iterdir())[0]
    for path in sorted(root.rglob("*.json")):
        path.write_text(path.read_text().replace(json.dumps(BAD)[1:-1], quoted))
    done = (ranked / "DONE.json").read_text()
    (ranked / "DONE.json").write_text(done.replace("s:top", f"s:{quoted}"))
    row = {"cells": {text: Cell(mean=0.5, letters="m")}, "line": text, "note": text}
    rows = tuple(Row(name=text, x=x, **row) for x in (0.0, 1.0))
    for folder, varied in (("table", ""), ("noise", text)):
        table = ResultTable(
            title=text, metrics=(text,), rows=rows, notes=(f"m: {text}",), varied=varied
        )
        (root / folder).mkdir()
        stored = json.dumps(json.loads(to_json(table)))  # a half of a pair as an escape
        (root / folder / "table.json").write_text(stored)
    logged = ranked / "curves" / "version_1"
    logged.mkdir()
    with (logged / "metrics.csv").open("w", errors="replace", newline="") as file:
        csv.writer(file).writerows([["step", f"train/{text}"], [0, 1.0], [5, 2.0]])
    no_name = dict.fromkeys(map(ord, "\0/\udcff"))
    (ranked / f"{text}.json".translate(no_name)).write_text("{")
