"""The table's rows: each is the user's config with the row's own overrides."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from hydra import compose
from hydra.core.hydra_config import HydraConfig
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from ltrgr.cli.assembly import assemble
from ltrgr.cli.check import check, expected_of
from ltrgr.cli.origin import table_origin
from ltrgr.cli.resolvers import register_resolvers
from ltrgr.cli.suggestions import did_you_mean, nearest
from ltrgr.pipeline.compared_systems import Comparison, System, make_table
from ltrgr.pipeline.evaluate_stage import Measured
from ltrgr.pipeline.generation_check import complaints
from ltrgr.pipeline.parallel import run_all
from ltrgr.pipeline.pipeline import Pipeline
from ltrgr.report.console import plain
from ltrgr.report.render import terminal, write_all
from ltrgr.typed import SettingsError


def run_table(cfg: DictConfig, *, console: Console) -> bool:
    """Measure every row, print the table and write it beside the artefacts.

    Returns:
        whether every cell agrees with ``table.expected``, as far as there is a verdict
    """
    start = time.perf_counter()
    expected = expected_of(cfg)  # a fault in the file shows before any work
    corpus = instantiate(cfg.corpus, _convert_="all")
    given = list(HydraConfig.get().overrides.task)
    rows = _rows(cfg)
    jobs = _jobs(rows, given=given, group=f"table {datetime.now():%Y-%m-%d %H:%M}")
    pipelines = {
        label: assemble(OmegaConf.create(job.args[0]), corpus=corpus) for label, job in jobs.items()
    }
    jobs = {label: jobs[label] for label in _shared_stages_first(jobs, pipelines)}
    directories = {
        label: found
        for label, job in jobs.items()
        if (found := pipelines[label].measured(job.keywords["system"])) is not None
    }
    missing = {label: job for label, job in jobs.items() if label not in directories}
    if missing:
        directories |= run_all(missing, workers=_workers(cfg), shown=cfg.compute.progress)
    systems = [
        System(
            name=row["name"],
            runs=[Measured.load(directories[label]) for label, _ in _seeds(row)],
            seeds=[seed for _, seed in _seeds(row) if seed is not None],
            note=row.get("note", ""),
            line=row.get("line", ""),
            x=row.get("x"),
            base=row.get("base", ""),
            control=row.get("control", ""),
        )
        for row in rows
    ]
    table = make_table(
        systems,
        title=f"{cfg.table.title} ({corpus.name})",
        metrics=OmegaConf.to_container(cfg.table.metrics),  # type: ignore[arg-type]
        comparisons=[Comparison(**c) for c in cfg.table.comparisons],
        level=cfg.table.level,
        samples=cfg.table.samples,
        notes=[
            *cfg.table.notes,
            *_seconds(rows, jobs, pipelines),
            *complaints(_stages_one(jobs, pipelines)),
        ],
        varied=cfg.table.vary.label if cfg.table.vary else "",
    )
    origin = table_origin(
        cfg,
        corpus=corpus,
        questions=len(systems[0].runs[0].query_ids),
        overrides=given,
        jobs=[job.args[0] for job in jobs.values()],
        directories=directories.values(),
    )
    table = replace(table, origin=origin)
    written = write_all(table, Path(cfg.table.directory))
    console.print(terminal(table))
    console.print(plain(f"written: {', '.join(str(path) for path in written.values())}"))
    agrees = check(table, expected, cfg, console=console)
    console.print(plain(f"{(time.perf_counter() - start) / 60:.1f} minutes", "dim"))
    return agrees


def _stages_one(
    jobs: Mapping[str, partial[Path]], pipelines: Mapping[str, Pipeline]
) -> dict[str, Path]:
    """The stage-1 model below each job: the jobs that share one, as one name -> its directory."""
    sharing: dict[Path, list[str]] = {}
    for label, job in jobs.items():
        if job.keywords["system"] != "bm25":
            sharing.setdefault(pipelines[label].pretrained.directory, []).append(label)
    return {"; ".join(labels): directory for directory, labels in sharing.items()}


def _seconds(
    rows: Sequence[dict[str, Any]],
    jobs: Mapping[str, partial[Path]],
    pipelines: Mapping[str, Pipeline],
) -> list[str]:
    """A line that says what each row that is built on another was trained for."""
    spent_by = []
    for row in rows:
        if row.get("base") and row["system"] != "bm25":
            spent = [
                pipelines[label].training_seconds(jobs[label].keywords["system"])
                for label, _ in _seeds(row)
            ]
            spent_by.append(f"{row['name']} {statistics.median(spent):.0f}")
    if not spent_by:
        return []
    return [f"seconds of training beyond the base, mining included: {', '.join(spent_by)}"]


def measure(plain: dict[str, Any], *, label: str, system: str) -> Path:
    """One job of the table: everything that one system with one seed needs, and its metrics."""
    register_resolvers()
    return assemble(OmegaConf.create(plain), name=label).evaluate(system)


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
    """The rows that are asked for and have a seed, each for every value of what varies.

    Raises:
        SettingsError: a row that is not there is asked for.
    """
    rows: list[dict[str, Any]] = OmegaConf.to_container(cfg.table.rows, resolve=True)  # type: ignore[assignment]
    chosen = [
        row
        for row in rows
        if row.get("seeds") != [] and (not cfg.table.only or row["name"] in cfg.table.only)
    ]
    for row in chosen:
        row.setdefault("seeds", None if row["system"] == "bm25" else list(cfg.table.seeds))
    names = [row["name"] for row in rows]
    for name in cfg.table.only:
        if name not in names:
            raise SettingsError(
                f"table.only: no row {name!r}. {did_you_mean(nearest(str(name), names))} "
                f"Rows: {', '.join(names)}"
            )
    vary: Any = OmegaConf.to_container(cfg.table.vary, resolve=True) if cfg.table.vary else None
    return [row for given in chosen for row in _over(given, vary)]


def _over(row: dict[str, Any], vary: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The row once for each value of the varied setting, unless it does not depend on it.

    Raises:
        SettingsError: a setting that goes along has another number of values.
    """
    if vary is None:
        return [row]
    for name, values in vary.get("along", {}).items():
        if len(values) != len(vary["values"]):
            raise SettingsError(
                f"table.vary.along.{name} has {len(values)} values; expected one for each of the "
                f"{len(vary['values'])} of table.vary.values"
            )
    if not row.get("varies", True):
        return [row | {"line": row["name"]}]
    return [
        row
        | {
            "name": f"{row['name']}, {vary['label']} {value:{'g' if _is_number(value) else ''}}",
            "overrides": [
                *row.get("overrides", []),
                *vary.get("overrides", []),
                f"{vary['setting']}={value}",
                *(f"{name}={along[i]}" for name, along in vary.get("along", {}).items()),
            ],
            **({"line": row["name"], "x": float(value)} if _is_number(value) else {}),
        }
        for i, value in enumerate(vary["values"])
    ]


def _is_number(value: Any) -> bool:
    """Numbers have a place on an axis; names of options (``loss=ltrgr,infonce``) are rows."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _jobs(
    rows: Sequence[dict[str, Any]], *, given: Sequence[str], group: str
) -> dict[str, partial[Path]]:
    """Jobs by label: every row once for each of its seeds."""
    jobs: dict[str, partial[Path]] = {}
    for row in rows:
        for label, seed in _seeds(row):
            own = [*row.get("overrides", []), *([] if seed is None else [f"seed={seed}"])]
            composed = compose("table", overrides=merge_overrides(given, own))
            plain: Any = OmegaConf.to_container(composed)
            plain["wandb"]["group"] = composed.wandb.group or group
            jobs[label] = partial(measure, plain, label=label, system=row["system"])
    return jobs


def _shared_stages_first(
    jobs: Mapping[str, partial[Path]], pipelines: Mapping[str, Pipeline]
) -> list[str]:
    """Labels in the order to run: first the first job of each stage-1 model, then the first of
    each set of mined lists, then the others, so that no job waits for another's stage."""
    seen: set[str] = set()

    def turn(label: str) -> int:
        pipeline, system = pipelines[label], jobs[label].keywords["system"]
        if system == "bm25":
            return 0
        needs = [pipeline.pretrained.fingerprint] + [pipeline.mined.fingerprint] * (
            system == "rank"
        )
        new = [number for number, stage in enumerate(needs) if stage not in seen]
        seen.update(needs)
        return min(new, default=2)

    turns = {label: turn(label) for label in jobs}
    return sorted(jobs, key=lambda label: turns[label])


def _seeds(row: dict[str, Any]) -> list[tuple[str, int | None]]:
    """Label and seed of each job of a row; a row without seeds is one job."""
    if row["seeds"] is None:
        return [(row["name"], None)]
    return [(f"{row['name']}, seed {seed}", seed) for seed in row["seeds"]]


def _workers(cfg: DictConfig) -> int:
    """As many as there are cores for; one on a GPU."""
    if cfg.table.workers is not None:
        return int(cfg.table.workers)
    compute = instantiate(cfg.compute)
    if compute.device != "cpu" or compute.threads is None:
        return 1
    return max(1, (os.cpu_count() or 1) // int(compute.threads))
