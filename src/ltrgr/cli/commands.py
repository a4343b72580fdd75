"""What each command does with its composed config."""

from __future__ import annotations

import logging
import os
import statistics
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from hydra.utils import instantiate
from omegaconf import DictConfig

from ltrgr.cli.assembly import assemble
from ltrgr.cli.dev_comparison import measure_on_dev, print_on_dev
from ltrgr.cli.outcome import Result
from ltrgr.cli.sweep import swept
from ltrgr.corpus.records import Split
from ltrgr.evaluation.answers import ANSWER_MEASURES
from ltrgr.evaluation.metrics import MEASURES
from ltrgr.json_file import read_json_object
from ltrgr.pipeline.tracking import report_figures, run_kept_open
from ltrgr.report.console import SafeConsole, plain, styled
from ltrgr.typed import SettingsError

# A log file or a pipe has no width of its own: wide enough for the main table.
out = SafeConsole(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 120)


log = logging.getLogger(__name__)

DEV = "dev/"
"""begins an ``optimized_metric`` that is measured on dev, whatever ``evaluation.split`` is"""

ENOUGH_TURNS = 20
"""of `cost`, for a bootstrap of their median"""


def index(cfg: DictConfig) -> Result:
    """Build the index, and look for damage in one that is there."""
    pipeline = assemble(cfg)
    before = pipeline.indexed.directory.stat().st_ino if pipeline.indexed.is_done() else None
    directory = pipeline.index(check=True, again=cfg.force)
    found = directory.stat().st_ino == before
    _done("index", directory, found="built" if found else "")
    if found and (cfg.index.shard_tokens is not None or cfg.index.force):
        out.print(
            plain(
                "index.shard_tokens and index.force say how an index is built, not what is in it",
                "dim",
            ),
            soft_wrap=True,
        )
    return Result(found=found)


def pretrain(cfg: DictConfig) -> Result:
    """Train stage 1."""
    pipeline = assemble(cfg)
    found = pipeline.pretrained.is_done() and not cfg.force
    model = pipeline.pretrain(again=cfg.force)
    _done("stage-1 model", model, found="trained" if found else "")
    return Result(found=found)


def mine(cfg: DictConfig) -> Result:
    """Mine rank lists."""
    pipeline = assemble(cfg)
    found = pipeline.mined.is_done() and not cfg.force
    _done("rank lists", pipeline.mine(again=cfg.force), found="mined" if found else "")
    return Result(found=found)


def rank(cfg: DictConfig) -> Result:
    """Train stage 2 and measure it on dev or test."""
    label = _label()
    pipeline = assemble(cfg, name=label)
    split = pipeline.evaluation.of(pipeline.corpus)
    chosen = cfg.optimized_metric.removeprefix(DEV)
    _expect_measured(chosen, pipeline.corpus.dev if chosen != cfg.optimized_metric else split)
    found = not cfg.force and pipeline.measured("rank") is not None
    trained = cfg.force or not pipeline.ranked.is_done()
    with run_kept_open():  # what is measured after the training belongs to the same run
        model = pipeline.rank(again=cfg.force)
        _done("stage-2 model", model, found="" if trained else "trained")
        out.print(plain(label, "bold"), soft_wrap=True)
        dev = measure_on_dev(pipeline, again=cfg.force)
        print_on_dev(dev, stage1=pipeline.pretrain(), console=out)
        measured = pipeline.evaluate("rank", again=cfg.force)
        return _measured(measured, cfg, found=found, dev=dev["rank"])


def evaluate(cfg: DictConfig) -> Result:
    """Measure one system."""
    pipeline = assemble(cfg)
    _expect_measured(cfg.optimized_metric, pipeline.evaluation.of(pipeline.corpus))
    found = not cfg.force and pipeline.measured(cfg.system) is not None
    measured = pipeline.evaluate(cfg.system, again=cfg.force)
    return _measured(measured, cfg, found=found, dev={})


def search(cfg: DictConfig) -> None:
    """Answer questions in the terminal."""
    from ltrgr.cli.search_command import answer

    answer(cfg, console=out)


def exposure(cfg: DictConfig) -> None:
    """Measure exposure bias, before and after stage 2."""
    from ltrgr.pipeline.exposure_measurement import expose

    directory = expose(assemble(cfg), list(cfg.systems))
    for system, views in _figures(directory / "exposure.json").items():
        for view, shown in views.items():
            if shown["questions"]:
                kinds = "  ".join(f"{k} {100 * v:.1f}" for k, v in shown["errors"].items())
                out.print(f"{system} {view}: {kinds} (percent of {shown['questions']} questions)")
    out.print(styled("curves by depth, and their picture: ", (directory, "bold")), soft_wrap=True)


def cost(cfg: DictConfig) -> None:
    """Measure what a search costs, before and after stage 2."""
    from ltrgr.pipeline.cost_measurement import cost as measure

    directory = measure(assemble(cfg), turns=int(cfg.turns))
    found = _figures(directory / "cost.json")
    for name, system in found["systems"].items():
        out.print(
            f"{name}: {1e3 * statistics.median(system['seconds']):.2f} ms and "
            f"{statistics.mean(system['keys']):.1f} identifiers a question, "
            f"index {system['index']} ({system['index_bytes'] / 1e6:.1f} MB), "
            f"{system['parameters']:,} parameters"
        )
    shown = found["ratio"]
    out.print(
        f"rank / pretrain: {shown['median']:.3f} "
        f"({shown['low']:.3f} to {shown['high']:.3f}, 95 %, {cfg.turns} turns)"
    )
    if cfg.turns < ENOUGH_TURNS:
        out.print(
            plain(f"so few turns say little: expected turns={ENOUGH_TURNS} or more", "yellow")
        )
    out.print("  ".join(f"{stage} {spent:.0f} s" for stage, spent in found["stages"].items()))
    out.print(styled("every turn, and their picture: ", (directory, "bold")), soft_wrap=True)


def table(cfg: DictConfig) -> None:
    """Run every row and print the main table."""
    from ltrgr.cli.check import NotReproducedError
    from ltrgr.cli.table_command import run_table

    if not run_table(cfg, console=out) and cfg.table.check:
        raise NotReproducedError("a cell is off (see above); table.check=false accepts that")


def compare(cfg: DictConfig) -> None:
    """Show evaluations of the same questions side by side."""
    from ltrgr.report.comparison import expect_same_questions, print_comparison, read_evaluation

    runs = [read_evaluation(Path(folder)) for folder in cfg.runs]
    expect_same_questions(runs)
    print_comparison(
        runs, metric=cfg.metric, n=cfg.questions_shown, samples=cfg.samples, console=out
    )


def report(cfg: DictConfig) -> None:
    """Write the page of all runs."""
    from ltrgr.report.page.page import write_page

    if not isinstance(cfg.samples, int) or cfg.samples < 1:
        raise SettingsError(f"samples={cfg.samples}: expected a whole number, 1 or more")
    written = write_page(Path(cfg.root), Path(cfg.output), title=cfg.title, samples=cfg.samples)
    _done("report", written)
    if cfg.surfaces is not None:
        from ltrgr.report.page.surface_files import write_surfaces

        paths = write_surfaces(Path(cfg.root), Path(cfg.surfaces), samples=cfg.samples)
        for path in paths:
            _done("surface", path)
        if not paths:
            out.print(
                plain(
                    "no surface: nothing was swept here; for one: "
                    "ltrgr rank -m loss.margin=0.5,1,2 loss.lambda_generation=0,1,2.6",
                    "yellow",
                ),
                soft_wrap=True,
            )


def doctor(cfg: DictConfig) -> None:
    """Look at the installation."""
    from ltrgr.cli.artefact_map import artefact_map
    from ltrgr.cli.doctor import doctor as look
    from ltrgr.cli.main import config_directory
    from ltrgr.pipeline.catalogue import NO_CORPUS, usual_inputs
    from ltrgr.pipeline.tracking import wandb_mode

    usual = usual_inputs(assemble(cfg, corpus=NO_CORPUS))
    if (shown := artefact_map(Path(cfg.root), usual=usual)) is not None:
        out.print(shown)
        out.print(plain("(settings are shown where they differ from this config's)\n", "dim"))
    data = [Path(cfg.corpus.path)] if cfg.corpus.get("path") else []
    look(
        root=Path(cfg.root),
        conf=config_directory(),
        data=data,
        wandb_mode=wandb_mode(instantiate(cfg.wandb)),
        console=out,
    )


def _figures(path: Path) -> dict[str, Any]:
    """What a command measured, as its artefact holds it."""
    cure = f"remove {path.parent} and run the same command again"
    return read_json_object(path, cure=cure)


def _label() -> str:
    """The job in a few words: its loss, and in a sweep what sets it apart."""
    hydra = HydraConfig.get()
    apart = swept(hydra) if hydra.mode == RunMode.MULTIRUN else []
    return " ".join(dict.fromkeys([f"loss={hydra.runtime.choices['loss']}", *apart]))


def _expect_measured(name: str, split: Split) -> None:
    """Whether the figure that a sweeper is to see is measured at all, before hours of work.

    Raises:
        SettingsError: no such metric; names those that there are.
    """
    known = [*MEASURES, *(ANSWER_MEASURES if any(q.answers for q in split.queries) else ())]
    if name not in known:
        raise SettingsError(f"optimized_metric={name}: expected one of {', '.join(known)}")


def _done(what: str, directory: Path, *, found: str = "") -> None:
    """Print where something lies; ``found``: what was not done because it was there already."""
    note = f"  (found, not {found}; force=true does it again)" if found else ""
    out.print(styled(f"{what}: ", (directory, "bold"), (note, "dim")), soft_wrap=True)


def _measured(directory: Path, cfg: DictConfig, *, found: bool, dev: Mapping[str, Any]) -> Result:
    """Print what was measured on ``evaluation.split``.

    Args:
        dev: figures on dev, for choosing; nothing where only one split was measured.
    """
    metrics: dict[str, float] = _figures(directory / "metrics.json")
    shown = "  ".join(f"{one} {value:.4g}" for one, value in metrics.items())
    note = "  (found, not searched; force=true does it again)" if found else ""
    out.print(
        styled(
            f"{cfg.evaluation.split}: {shown}\nrun and per-question results: ",
            (directory, "bold"),
            (note, "dim"),
        ),
        soft_wrap=True,
    )
    report_figures(
        instantiate(cfg.wandb), {f"{cfg.evaluation.split} {one}": v for one, v in metrics.items()}
    )
    split, name = cfg.evaluation.split, cfg.optimized_metric.removeprefix(DEV)
    shown_metrics = dict.fromkeys(["hits@5", name])
    reported = {f"dev {one}": dev[one] for one in shown_metrics if one in dev}
    reported |= {f"{split} {one}": metrics[one] for one in shown_metrics}
    on_dev = cfg.optimized_metric.startswith(DEV)
    if split == "test" and not on_dev and HydraConfig.get().mode == RunMode.MULTIRUN:
        log.warning("this sweep chooses on test; set evaluation.split=dev, and report test once")
    return Result(
        metrics=reported,
        optimized_metric=dev[name] if on_dev else metrics[name],
        found=found,
        measured=directory.name,
    )
