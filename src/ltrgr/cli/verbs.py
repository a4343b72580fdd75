"""What each verb does with its composed config."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from hydra.utils import instantiate
from omegaconf import DictConfig
from rich.console import Console

from ltrgr.cli.assemble import assemble

out = Console()


class NoQuestion(ValueError):  # noqa: N818
    """A search without anything to search for."""


def index(cfg: DictConfig) -> None:
    """Build the index."""
    _done("index", assemble(cfg).index())


def pretrain(cfg: DictConfig) -> None:
    """Train stage 1."""
    _done("stage-1 model", assemble(cfg).pretrain())


def mine(cfg: DictConfig) -> None:
    """Mine rank lists."""
    _done("rank lists", assemble(cfg).mine())


def rank(cfg: DictConfig) -> float:
    """Train stage 2 and measure it on dev or test; returns the monitored figure for sweepers."""
    label = _label()
    road = assemble(cfg, name=label)
    _done("stage-2 model", road.rank())
    out.print(f"[bold]{label}[/]")
    return _measured(road.evaluate("rank"), cfg)


def evaluate(cfg: DictConfig) -> float:
    """Measure one system."""
    return _measured(assemble(cfg).evaluate(cfg.system), cfg)


def search(cfg: DictConfig) -> None:
    """Answer questions in the terminal."""
    from ltrgr.report.hits import print_hits
    from ltrgr.retrieval.retriever import Retriever

    if not cfg.questions:
        raise NoQuestion('no question was asked; run: ltrgr search "who wrote ...?"')
    if cfg.retriever is None:
        road = assemble(cfg)
        retriever = road.open(road.pretrain() if cfg.system == "pretrain" else road.rank())
    else:
        retriever = Retriever.from_pretrained(Path(cfg.retriever))
    start = time.perf_counter()
    answers = retriever.search(list(cfg.questions), k=cfg.k)
    seconds = time.perf_counter() - start
    for question, hits in zip(cfg.questions, answers, strict=True):
        print_hits(question, hits, console=out, identifiers=cfg.identifiers_shown)
    out.print(f"[dim]{seconds / len(answers):.3f} s per question[/]")


def exposure(cfg: DictConfig) -> None:
    """Measure exposure bias, before and after stage 2."""
    from ltrgr.pipeline.exposing import expose

    directory = expose(assemble(cfg), list(cfg.systems))
    for system, views in json.loads((directory / "exposure.json").read_text()).items():
        for view, shown in views.items():
            if shown["questions"]:
                kinds = "  ".join(f"{k} {100 * v:.1f}" for k, v in shown["errors"].items())
                out.print(f"{system} {view}: {kinds} (percent of {shown['questions']} questions)")
    out.print(f"curves by depth, and their picture: [bold]{directory}[/]")


def table(cfg: DictConfig) -> None:
    """Run every row and print the main table."""
    from ltrgr.cli.table import run_table

    run_table(cfg, console=out)


def doctor(cfg: DictConfig) -> None:
    """Look at the installation."""
    from ltrgr.cli.doctor import doctor as look
    from ltrgr.cli.main import config_directory
    from ltrgr.pipeline.trainer import wandb_mode

    data = [Path(cfg.corpus.path)] if cfg.corpus.get("path") else []
    look(
        root=Path(cfg.root),
        conf=config_directory(),
        data=data,
        wandb_mode=wandb_mode(instantiate(cfg.wandb)),
        console=out,
    )


def _label() -> str:
    """The job in a few words: its loss, and in a sweep what sets it apart."""
    hydra = HydraConfig.get()
    swept = hydra.job.override_dirname if hydra.mode == RunMode.MULTIRUN else ""
    return " ".join(filter(None, [f"loss={hydra.runtime.choices['loss']}", swept]))


def _done(what: str, directory: Path) -> None:
    out.print(f"{what}: [bold]{directory}[/]")


def _measured(directory: Path, cfg: DictConfig) -> float:
    metrics: dict[str, Any] = json.loads((directory / "metrics.json").read_text())
    shown = "  ".join(f"{name} {value:.4g}" for name, value in metrics.items())
    out.print(f"{shown}\nrun and per-question results: [bold]{directory}[/]")
    return float(metrics[cfg.optimised])
