"""BM25, stage 1 and stage 2 side by side on dev: what ``ltrgr rank`` ends with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ltrgr.json_file import read_json_object
from ltrgr.pipeline.generation_check import complaint_about
from ltrgr.pipeline.pipeline import Pipeline
from ltrgr.report.console import plain

SYSTEMS = {"bm25": "BM25", "pretrain": "stage 1", "rank": "stage 2"}
SHOWN = ("hits@1", "hits@5", "hits@20", "mrr@10")
FAR_BELOW = 0.5
"""a stage 1 with less than this part of BM25's MRR has most to gain from more of stage 1"""

Figures = Mapping[str, Mapping[str, Any]]
"""system -> metric -> mean over the questions"""


def on_dev(pipeline: Pipeline) -> Pipeline:
    """The same pipeline, measured on the dev questions that chose the checkpoint of stage 2."""
    settings = replace(pipeline.evaluation, split="dev", questions=pipeline.ranking.dev_questions)
    return replace(pipeline, evaluation=settings)


def measure_on_dev(pipeline: Pipeline, *, again: bool = False) -> Figures:
    """Measure all three systems on dev, or find what was measured.

    Args:
        again: measure stage 2 again: its model is another one.
    """
    dev = on_dev(pipeline)
    folders = {name: dev.evaluate(name, again=again and name == "rank") for name in SYSTEMS}
    return {name: _metrics(folder) for name, folder in folders.items()}


def print_on_dev(figures: Figures, *, stage1: Path, console: Console) -> None:
    """Print the table, and one line where stage 1 is what to improve."""
    questions = figures["rank"]["questions"]
    table = Table(title=plain(f"dev, {questions} questions"), box=SIMPLE_HEAD, pad_edge=False)
    table.title_justify = "left"
    table.add_column("")
    for metric in SHOWN:
        table.add_column(metric, justify="right")
    for system, name in SYSTEMS.items():
        table.add_row(name, *(f"{100 * figures[system][metric]:.1f}" for metric in SHOWN))
    console.print(table)
    if advice := _advice(figures, stage1):
        console.print(plain(advice, "yellow"), soft_wrap=True)


def _advice(figures: Figures, stage1: Path) -> str:
    if complaint := complaint_about(stage1):
        return complaint
    found, lexical = (figures[name]["mrr@10"] for name in ("pretrain", "bm25"))
    if found >= FAR_BELOW * lexical:
        return ""
    return (
        f"stage 1 finds far less than BM25 on dev (MRR@10 {100 * found:.1f} against "
        f"{100 * lexical:.1f}): raise pretrain.steps, give more training questions, or start from "
        "a pretrained model (model=minilm); learning to rank cannot make up for it"
    )


def _metrics(folder: Path) -> Mapping[str, Any]:
    cure = f"remove {folder} and run the same command again"
    return read_json_object(folder / "metrics.json", cure=cure)
