"""The jobs of a sweep in processes of their own: one that is killed does not end the others."""

from __future__ import annotations

import ctypes
import math
import multiprocessing
import os
import pickle
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cloudpickle
from hydra.core.hydra_config import HydraConfig
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus, configure_log, run_job, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict

from ltrgr.terminal import print_error
from ltrgr.typed import Count, SettingsError, fits, spelt

Job = tuple[int, Sequence[str]]
"""number of the job, its overrides"""

PR_SET_PDEATHSIG = 1
"""Linux: the signal that a process gets when its parent dies"""


def run_jobs(
    jobs: Sequence[Job],
    *,
    context: HydraContext,
    config: DictConfig,
    task: TaskFunction,
    n_jobs: int,
) -> list[JobReturn]:
    """Run every job in a process of its own, ``n_jobs`` at a time.

    A job whose process is killed returns NaN, and one line says which signal it was; its outcome in
    the sweep's folder stays "not finished". If this process is interrupted or killed, the jobs end.

    Args:
        n_jobs: 1 or more; -1: as many as the machine has cores.

    Returns:
        what each job returned, in the order of ``jobs``.

    Raises:
        SettingsError: ``n_jobs`` is no such number.
    """
    if not (fits(Count, n_jobs) or n_jobs == -1):
        raise SettingsError(f"hydra.launcher.n_jobs={n_jobs!r}: expected {spelt(Count)}, or -1")
    setup_globals()
    configure_log(config.hydra.hydra_logging, config.hydra.verbose)
    Path(str(config.hydra.sweep.dir)).mkdir(parents=True, exist_ok=True)
    shared = (context, config, task, Singleton.get_state())
    processes: list[Any] = []

    def run_one(job: Job) -> JobReturn:
        spawn = multiprocessing.get_context("spawn")
        receiving, sending = spawn.Pipe(duplex=False)
        work = cloudpickle.dumps((job, *shared))
        process = spawn.Process(target=_run_in_this_process, args=(work, sending), daemon=True)
        processes.append(process)
        process.start()
        sending.close()
        try:
            answer = receiving.recv_bytes()
        except EOFError:  # it ended without an answer
            answer = b""
        process.join()
        return pickle.loads(answer) if answer else _ended(job, process.exitcode)

    workers = (os.cpu_count() or 1) if n_jobs == -1 else n_jobs
    with ThreadPoolExecutor(min(workers, max(1, len(jobs)))) as pool:
        try:
            return list(pool.map(run_one, jobs))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        finally:
            for process in processes:
                if process.is_alive():
                    process.terminate()


def _run_in_this_process(work: bytes, sending: Any) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    setup_globals()  # before what is unpickled: it holds interpolations
    (number, overrides), context, config, task, state = pickle.loads(work)
    Singleton.set_state(state)
    composed = context.config_loader.load_sweep_config(config, list(overrides))
    with open_dict(composed):
        composed.hydra.job.id = f"{composed.hydra.job.name}_{number}"
        composed.hydra.job.num = number
    HydraConfig.instance().set_config(composed)
    returned = run_job(
        hydra_context=context,
        config=composed,
        task_function=task,
        job_dir_key="hydra.sweep.dir",
        job_subdir_key="hydra.sweep.subdir",
    )
    sending.send_bytes(cloudpickle.dumps(returned))
    sending.close()


def _ended(job: Job, exitcode: int | None) -> JobReturn:
    """What a job returns whose process ended without an answer."""
    number, overrides = job
    code = exitcode or 0
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"exited with {code}"
    print_error(f"job {number} of the sweep {how} ({' '.join(overrides)})")
    return JobReturn(overrides=list(overrides), _return_value=math.nan, status=JobStatus.COMPLETED)
