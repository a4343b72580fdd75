"""The table's rows: each is the user's config with the row's own overrides."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra import compose
from hydra.core.hydra_config import HydraConfig
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from ltrgr.cli.assemble import assemble
from ltrgr.pipeline.evaluating import Measured
from ltrgr.pipeline.table import Comparison, System, make_table
from ltrgr.report.render import terminal, write_all


def run_table(cfg: DictConfig, *, console: Console) -> None:
    """Measure every row, print the table and write it beside the artefacts."""
    start = time.perf_counter()
    corpus = instantiate(cfg.corpus, _convert_="all")
    given = list(HydraConfig.get().overrides.task)
    systems = [_system(row, given=given, corpus=corpus, console=console) for row in _rows(cfg)]
    table = make_table(
        systems,
        title=f"{cfg.table.title} ({corpus.name})",
        metrics=OmegaConf.to_container(cfg.table.metrics),  # type: ignore[arg-type]
        comparisons=[Comparison(**c) for c in cfg.table.comparisons],
        level=cfg.table.level,
        samples=cfg.table.samples,
        notes=list(cfg.table.notes),
    )
    written = write_all(table, Path(cfg.table.directory))
    console.print(terminal(table))
    console.print(f"written: {', '.join(str(path) for path in written.values())}")
    console.print(f"[dim]{(time.perf_counter() - start) / 60:.1f} minutes[/]")


def merge_overrides(given: Sequence[str], own: Sequence[str]) -> list[str]:
    """The user's overrides, then the row's; a group that the row replaces takes the user's
    settings inside that group with it, because the other option may not have them.

    >>> merge_overrides(["loss.margin=2", "seed=1"], ["loss=infonce"])
    ['seed=1', 'loss=infonce']
    """
    replaced = {o.split("=")[0] for o in own if "." not in o.split("=")[0]}
    kept = [
        o
        for o in given
        if o.split("=")[0].lstrip("+~") not in replaced
        and not any(o.lstrip("+~").startswith(f"{group}.") for group in replaced)
    ]
    return [*kept, *own]


def _rows(cfg: DictConfig) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = OmegaConf.to_container(cfg.table.rows, resolve=True)  # type: ignore[assignment]
    return [row for row in rows if not cfg.table.only or row["name"] in cfg.table.only]


def _system(row: dict[str, Any], *, given: Sequence[str], corpus: Any, console: Console) -> System:
    runs = []
    for seed in row.get("seeds", [None]):
        own = [*row.get("overrides", []), *([] if seed is None else [f"rank.seed={seed}"])]
        composed = compose("table", overrides=merge_overrides(given, own))
        label = row["name"] if seed is None else f"{row['name']}, seed {seed}"
        road = assemble(composed, name=label, corpus=corpus)
        console.print(f"[bold]{label}[/]")
        runs.append(Measured.load(road.evaluate(row["system"])))
    return System(name=row["name"], runs=runs, note=row.get("note", ""))
