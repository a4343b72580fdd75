"""The ``ltrgr`` program: each command is a Hydra application over ``conf/COMMAND.yaml``."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ltrgr.cli.arguments import hydra_arguments, with_runs
from ltrgr.cli.as_typed import as_typed
from ltrgr.cli.completion import complete
from ltrgr.cli.errors import (
    CRASHED,
    MISUSED,
    OK,
    PIPE_CLOSED,
    Carried,
    missing_values,
    reader_is_gone,
    report,
)
from ltrgr.cli.questions import search_words
from ltrgr.cli.search_request import expect_request
from ltrgr.cli.signals import stopped_by_signals
from ltrgr.cli.suggestions import did_you_mean, explain, nearest
from ltrgr.cli.typos import refuse_misspelt, refuse_renamed, refuse_table
from ltrgr.terminal import make_streams_safe, print_error

COMMANDS = {
    "index": "build the corpus's full-text index",
    "pretrain": "stage 1: learn to generate identifiers",
    "mine": "retrieve the rank lists that stage 2 learns from",
    "rank": "stage 2: learn to rank (sweep with -m)",
    "evaluate": "search with a trained model and compute the metrics",
    "search": 'answer questions: ltrgr search "who wrote ...?"',
    "exposure": "exposure bias before and after learning to rank",
    "cost": "what a search costs before and after learning to rank",
    "table": "run everything and print the main table",
    "compare": "compare evaluations question by question: ltrgr compare RUN RUN",
    "report": "write one offline HTML page of all runs",
    "doctor": "show versions, devices, paths and what is cached",
}
"""command -> its line of help; the command is a function of that name in ``ltrgr.cli.commands``."""

FLAGS = {"-sc", "--shell-completion"}


def main(
    argv: Sequence[str] | None = None,
    *,
    conf: Path | None = None,
    commands: str = "ltrgr.cli.commands",
) -> int:
    """Run ``ltrgr <argv>`` and return the exit code.

    ``conf`` (config directory) and ``commands`` (module with a function per command) are for tests.
    """
    make_streams_safe()
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _run(arguments, conf=config_directory() if conf is None else conf, commands=commands)
        sys.stdout.flush()
    except BrokenPipeError:
        if not reader_is_gone():
            raise
        return PIPE_CLOSED
    return code


def _run(arguments: list[str], *, conf: Path, commands: str) -> int:
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        print(usage())
        return OK
    if arguments[0] == "--version":
        print(f"ltrgr {version('ltrgr')}")
        return OK
    if FLAGS & set(arguments):
        return complete(arguments, commands=list(COMMANDS), conf=conf)
    command, rest = arguments[0], arguments[1:]
    if command not in COMMANDS:
        hint = did_you_mean(nearest(command, COMMANDS))
        print_error(f"ltrgr has no command {command!r}. {hint}\n\n{usage()}")
        return MISUSED
    return run_command(command, rest, conf=conf, commands=commands)


def usage() -> str:
    """Return the help of the command itself."""
    lines = "\n".join(f"  {command:<10}{line}" for command, line in COMMANDS.items())
    return (
        "usage: ltrgr <command> [key=value ...] [-m] [--config-dir DIR] [--cfg job] [--help]\n\n"
        f"{lines}\n\n"
        "ltrgr <command> --help shows its settings; -m sweeps over comma-separated values.\n"
        'Shell completion: eval "$(ltrgr --shell-completion install=bash)" (or zsh, fish).'
    )


def config_directory() -> Path:
    """Return ``conf/``: inside the package (a wheel), else beside ``src/`` (a checkout)."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "conf"
    return inside if inside.is_dir() else package.parents[1] / "conf"


def run_command(command: str, arguments: Sequence[str], *, conf: Path, commands: str) -> int:
    """Run one command as a Hydra application and return the exit code."""
    debug = os.environ.get("HYDRA_FULL_ERROR") == "1"
    # Hydra would print and exit by itself; with this its exceptions reach us.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    roots = [argument[len("root=") :] for argument in arguments if argument.startswith("root=")]
    tell = partial(report, command=command, debug=debug, explain=str, root=(roots or ["runs"])[-1])
    try:
        if command == "search":
            words = search_words(arguments, conf=conf)
            arguments = words.arguments
            for hint in words.hints:
                print_error(f"ltrgr search: {hint}")
        elif command == "compare":
            arguments = with_runs(arguments)
        arguments, overrides, extra = hydra_arguments(as_typed(arguments))
        explained = partial(explain, conf=conf, extra=extra, command=command, overrides=overrides)
        tell = partial(tell, explain=explained)
        with stopped_by_signals(), _argv([f"ltrgr {command}", *arguments]):
            _application(command, conf=conf, commands=commands, tell=tell)()
        code = OK
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else OK if stop.code is None else CRASHED
    except BrokenPipeError:
        raise
    except BaseException as error:
        code = tell(error.error if isinstance(error, Carried) else error)
    finally:
        if not debug:
            os.environ.pop("HYDRA_FULL_ERROR", None)
    return _close_sweep(command, code=code)


def _application(
    command: str, *, conf: Path, commands: str, tell: Callable[[Exception], int]
) -> Any:
    import hydra
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode
    from omegaconf import OmegaConf

    from ltrgr.cli.resolvers import register_resolvers

    register_resolvers()

    def work(cfg: Any) -> Any:
        if missing := OmegaConf.missing_keys(cfg):
            raise missing_values(command=command, keys=sorted(missing))
        refuse_table(cfg, HydraConfig.get(), command=command)
        refuse_renamed(cfg)
        refuse_misspelt(cfg, HydraConfig.get(), command=command)
        if command == "search":
            expect_request(cfg)
        from ltrgr.cli.config_faults import expect_config  # imports torch

        expect_config(cfg, command=command)
        return getattr(importlib.import_module(commands), command)(cfg)

    def run(cfg: Any) -> Any:
        from ltrgr.cli.sweep import run_job

        if HydraConfig.get().mode == RunMode.MULTIRUN:
            return run_job(partial(work, cfg), tell=tell)
        try:
            return getattr(work(cfg), "optimized_metric", None)
        except BrokenPipeError:
            raise
        except Exception as error:
            raise Carried(error) from error

    return hydra.main(version_base="1.3", config_path=str(conf), config_name=command)(run)


def _close_sweep(command: str, *, code: int) -> int:
    """Print the summary where a sweep ran, and return the exit code: its failures count."""
    if "ltrgr.cli.sweep" not in sys.modules:
        return code
    from ltrgr.cli.sweep import close
    from ltrgr.report.console import SafeConsole

    failed, n = close(console=SafeConsole())
    if not failed:
        return code
    print_error(
        f"ltrgr {command}: {failed} of the {n} jobs that began did not end well (shown above). "
        "The same command runs only what is missing."
    )
    return code or CRASHED


@contextmanager
def _argv(arguments: list[str]) -> Iterator[None]:
    before, sys.argv = sys.argv, arguments
    try:
        yield
    finally:
        sys.argv = before


if __name__ == "__main__":
    sys.exit(main())
