"""Sweep: report each job of ``-m`` as it ends, and all jobs in one table at the end."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ltrgr.cli.errors import carried
from ltrgr.cli.folder import claim, hold
from ltrgr.cli.outcome import DONE, FAILED, FILE, FOUND, UNFINISHED, Outcome, Result, outcomes
from ltrgr.report.console import plain, styled
from ltrgr.terminal import print_error

COLOURS = {DONE: "green", FOUND: "cyan", FAILED: "bold red", UNFINISHED: "yellow"}


class Sweep(Callback):  # type: ignore[misc]
    """Hydra's callback that tells the command where its sweep lies: only Hydra knows."""

    directory: Path | None = None
    """of the sweep that this process started last"""
    lock: IO[Any] | None = None
    """on that folder, as long as the sweep runs"""

    def on_run_start(self, config: DictConfig, **_: Any) -> None:
        """Take a folder of its own for a single run."""
        with carried():
            claim(config, "run")

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Note the folder; outcomes that lie there already are those of a sweep that has ended."""
        with carried():
            directory = claim(config, "sweep").absolute()
            type(self).lock = hold(directory)
        type(self).directory = directory
        for path in directory.glob(f"**/{FILE}"):
            path.unlink()


def run_job(work: Callable[[], Any], *, tell: Callable[[Exception], Any]) -> float:
    """Do one job of a sweep, write its outcome, and return the figure that a sweeper sees.

    ``tell`` reports an error at once, and it goes no further (the figure is NaN): Hydra would keep
    it until all jobs have ended, and begin no further batch.
    """
    hydra = HydraConfig.get()
    job, overrides, directory = hydra.job.num, swept(hydra), Path(hydra.runtime.output_dir)
    Outcome(job=job, overrides=overrides, state=UNFINISHED).write(directory)
    start = time.perf_counter()
    error = ""
    try:
        result = work()
    except Exception as caught:
        print_error(f"job {job} of the sweep failed ({' '.join(overrides)}):")
        tell(caught)
        result, error = None, f"{type(caught).__name__}: {caught}"
    if not isinstance(result, Result):
        result = Result()
    Outcome(
        job=job,
        overrides=overrides,
        state=FAILED if error else FOUND if result.found else DONE,
        seconds=time.perf_counter() - start,
        metrics=result.metrics,
        measured=result.measured,
        error=error,
    ).write(directory)
    return math.nan if result.optimized_metric is None else result.optimized_metric


def swept(hydra: Any) -> list[str]:
    """The overrides of this job whose keys the sweep varies; all of them where that is unknown.

    Hydra keeps what was typed (``loss.margin=1,2``) in the sweep's ``multirun.yaml`` only.
    """
    own = [str(override) for override in hydra.overrides.task]
    path = Path(hydra.sweep.dir) / "multirun.yaml"
    if not path.is_file():
        return own
    started: Any = OmegaConf.load(path)
    sweeper: Any = OmegaConf.select(started, "hydra.sweeper.params") or {}
    typed = [*started.hydra.overrides.task, *(f"{key}={value}" for key, value in sweeper.items())]
    parsed = OverridesParser.create().parse_overrides([str(override) for override in typed])
    keys = {override.get_key_element() for override in parsed if override.is_sweep_override()}
    return [override for override in own if override.split("=")[0] in keys] or own


def summary(found: Sequence[Outcome]) -> Table:
    """The table of a sweep's jobs."""
    names = list(dict.fromkeys(name for outcome in found for name in outcome.metrics))
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("job", justify="right")
    longest = max((len(one) for outcome in found for one in outcome.overrides), default=0)
    table.add_column("overrides", overflow="fold", min_width=min(longest, 40))
    for name in names:
        table.add_column(plain(name.replace(" ", "\n")), justify="right", overflow="fold")
    table.add_column("seconds", justify="right")
    table.add_column("state", no_wrap=True, min_width=max(len(o.state) for o in found))
    for outcome in found:
        values = [outcome.metrics.get(name) for name in names]
        table.add_row(
            str(outcome.job),
            plain(" ".join(outcome.overrides)),
            *("-" if value is None else f"{value:.4f}" for value in values),
            f"{outcome.seconds:.1f}",
            plain(outcome.state, COLOURS[outcome.state]),
        )
    return table


def close(*, console: Console) -> tuple[int, int]:
    """Print the summary of the sweep that this process started, if one did.

    Returns:
        how many of its jobs did not end well, and how many began
    """
    directory, Sweep.directory = Sweep.directory, None
    found = [] if directory is None else outcomes(directory)
    if Sweep.lock is not None:
        Sweep.lock.close()
        Sweep.lock = None
    if directory is None or not found:
        return 0, 0
    console.print(summary(found))
    console.print(styled("sweep: ", (directory, "bold")), soft_wrap=True)
    return sum(outcome.state in (FAILED, UNFINISHED) for outcome in found), len(found)
