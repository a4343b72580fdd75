"""Independent jobs on a few processes of this machine, with one bar for all."""

from __future__ import annotations

import multiprocessing
import os
import queue
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from ltrgr.errors import LtrgrError
from ltrgr.pipeline.progress import BAR_POSITION, bar
from ltrgr.terminal import make_streams_safe, print_error, print_traceback


class JobsFailedError(LtrgrError):
    """Some jobs failed; the others are done and will be found again."""


class WorkerKilledError(LtrgrError):
    """The process of one job was killed; other jobs go on."""


def run_all(jobs: Mapping[str, Callable[[], Any]], *, workers: int, shown: bool) -> dict[str, Any]:
    """Run every job, ``workers`` at a time, in the given order; name -> result.

    A job that fails is reported at once, with its traceback, and does not end the others. With more
    than one worker, jobs and results must be picklable.

    Raises:
        JobsFailedError: names the jobs that failed, after all others have ended.
    """
    results: dict[str, Any] = {}
    failed: list[str] = []
    with bar(total=len(jobs), description="all jobs", unit=" jobs", shown=shown) as progress:
        for name, outcome in _outcomes(jobs, workers=workers):
            try:
                results[name] = outcome()
            except Exception as error:
                failed.append(name)
                print_error(f"\njob {name!r} failed:")
                print_traceback(error)
            progress.update()
    if failed:
        names = ", ".join(name for name in jobs if name in failed)
        raise JobsFailedError(
            f"{len(failed)} of {len(jobs)} jobs failed: {names} (tracebacks above); "
            "the others are done. The same command runs only what is missing."
        )
    return {name: results[name] for name in jobs}


def _outcomes(jobs: Mapping[str, Callable[[], Any]], *, workers: int) -> Any:
    if min(workers, len(jobs)) <= 1:
        yield from jobs.items()
        return
    slots: queue.SimpleQueue[_Process] = queue.SimpleQueue()
    processes = [_Process(slot) for slot in range(1, workers + 1)]
    for process in processes:
        slots.put(process)

    def run(job: Callable[[], Any]) -> Any:
        process = slots.get()
        try:
            return process.run(job)
        finally:
            slots.put(process)

    with ThreadPoolExecutor(workers) as pool:
        futures: dict[Future[Any], str] = {
            pool.submit(run, job): name for name, job in jobs.items()
        }
        try:
            for future in as_completed(futures):
                yield futures[future], future.result
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        finally:
            for process in processes:
                process.end()


class _Process:
    """One process that runs jobs, one after the other; a new one takes the place of a killed one.

    A single pool of all processes would fail every job when one process is killed.
    """

    def __init__(self, slot: int) -> None:
        self._slot = slot
        self._pool: ProcessPoolExecutor | None = None

    def run(self, job: Callable[[], Any]) -> Any:
        """Run one job.

        Raises:
            WorkerKilledError: its process ended before the job did.
        """
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(
                1, mp_context=context, initializer=_begin_worker, initargs=(self._slot,)
            )
        try:
            return self._pool.submit(_call, job).result()
        except BrokenProcessPool as error:
            self.end()
            raise WorkerKilledError(
                "its process was killed; the usual reason is that memory ran out: fewer "
                "table.workers need less"
            ) from error

    def end(self) -> None:
        """End the process once it is idle."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


def _begin_worker(slot: int) -> None:
    """Each worker draws its bars on its own line, and does not outlive a killed parent."""
    make_streams_safe()
    os.environ[BAR_POSITION] = str(slot)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _call(job: Callable[[], Any]) -> Any:
    return job()
