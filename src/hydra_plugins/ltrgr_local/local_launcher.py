"""``hydra/launcher=local``: the jobs of a sweep on this machine, each in a process of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class LocalLauncher(Launcher):  # type: ignore[misc]
    """Runs ``n_jobs`` jobs at a time; one that is killed does not end the others."""

    def __init__(self, n_jobs: int = 2) -> None:
        self.n_jobs = n_jobs
        self.given: tuple[HydraContext, DictConfig, TaskFunction] | None = None

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Keep what the jobs need."""
        self.given = hydra_context, config, task_function

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run the jobs, and return what they return, in their order."""
        # Hydra imports every plug-in of every command; the rest is imported where it is used.
        from ltrgr.cli.local_jobs import run_jobs

        assert self.given is not None
        context, config, task = self.given
        jobs: list[tuple[int, Sequence[Any]]] = [
            (initial_job_idx + number, overrides) for number, overrides in enumerate(job_overrides)
        ]
        return run_jobs(jobs, context=context, config=config, task=task, n_jobs=self.n_jobs)
