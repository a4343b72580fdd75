"""The ``ltrgr`` command: one verb per stage, each a Hydra application over ``conf/<verb>.yaml``."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ltrgr.cli.arguments import hydra_arguments, search_arguments
from ltrgr.cli.completion import complete
from ltrgr.cli.errors import CRASHED, MISUSED, OK, missing_values, report
from ltrgr.cli.suggestions import did_you_mean, explain, nearest
from ltrgr.cli.typos import refuse_misspelt

VERBS = {
    "index": "build the corpus's full-text index",
    "pretrain": "stage 1: learn to generate identifiers",
    "mine": "retrieve the rank lists that stage 2 learns from",
    "rank": "stage 2: learn to rank (sweep with -m)",
    "evaluate": "search with a trained model and compute the metrics",
    "search": 'answer questions: ltrgr search "who wrote ...?"',
    "exposure": "exposure bias before and after learning to rank",
    "table": "run everything and print the main table",
    "doctor": "show versions, devices, paths and what is cached",
}
"""verb -> its line of help; the verb is a function of that name in ``ltrgr.cli.verbs``."""

FLAGS = {"-sc", "--shell-completion"}


def main(
    argv: Sequence[str] | None = None,
    *,
    conf: Path | None = None,
    verbs: str = "ltrgr.cli.verbs",
) -> int:
    """Run ``ltrgr <argv>`` and return the exit code.

    ``conf`` (config directory) and ``verbs`` (module with one function per verb) are for tests.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    conf = config_directory() if conf is None else conf
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        print(usage())
        return OK
    if arguments[0] == "--version":
        print(f"ltrgr {version('ltrgr')}")
        return OK
    if FLAGS & set(arguments):
        return complete(arguments, verbs=list(VERBS), conf=conf)
    verb, rest = arguments[0], arguments[1:]
    if verb not in VERBS:
        hint = did_you_mean(nearest(verb, VERBS))
        print(f"ltrgr has no verb {verb!r}. {hint}\n\n{usage()}", file=sys.stderr)
        return MISUSED
    return run_verb(verb, rest, conf=conf, verbs=verbs)


def usage() -> str:
    """Return the help of the command itself."""
    lines = "\n".join(f"  {verb:<10}{line}" for verb, line in VERBS.items())
    return (
        "usage: ltrgr <verb> [key=value ...] [-m] [--config-dir DIR] [--cfg job] [--help]\n\n"
        f"{lines}\n\n"
        "ltrgr <verb> --help shows a verb's settings; -m sweeps over comma-separated values.\n"
        'Shell completion: eval "$(ltrgr --shell-completion install=bash)" (or zsh, fish).'
    )


def config_directory() -> Path:
    """Return ``conf/``: inside the package (a wheel), else beside ``src/`` (a checkout)."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "conf"
    return inside if inside.is_dir() else package.parents[1] / "conf"


def run_verb(verb: str, arguments: Sequence[str], *, conf: Path, verbs: str) -> int:
    """Run one verb as a Hydra application and return the exit code."""
    debug = os.environ.get("HYDRA_FULL_ERROR") == "1"
    # Hydra would print and exit by itself; with this its exceptions reach us.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    overrides: list[str] = []
    extra: Path | None = None
    try:
        if verb == "search":
            arguments = search_arguments(arguments)
        arguments, overrides, extra = hydra_arguments(arguments)
        with _argv([f"ltrgr {verb}", *arguments]):
            _application(verb, conf=conf, verbs=verbs)()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else OK if stop.code is None else CRASHED
    except BaseException as error:
        if getattr(error, "ltrgr_reported", False):
            return _sweep_failed(verb)
        return report(
            error,
            verb=verb,
            debug=debug,
            explain=lambda e: explain(e, conf=conf, extra=extra, verb=verb, overrides=overrides),
        )
    finally:
        if not debug:
            os.environ.pop("HYDRA_FULL_ERROR", None)
    return OK


def _application(verb: str, *, conf: Path, verbs: str) -> Any:
    import hydra
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode
    from omegaconf import OmegaConf

    from ltrgr.cli.resolvers import register_resolvers

    register_resolvers()

    def run(cfg: Any) -> Any:
        try:
            if missing := OmegaConf.missing_keys(cfg):
                raise missing_values(verb=verb, keys=sorted(missing))
            refuse_misspelt(cfg, HydraConfig.get(), verb=verb)
            return getattr(importlib.import_module(verbs), verb)(cfg)
        except Exception as error:
            if HydraConfig.get().mode == RunMode.MULTIRUN:
                # Hydra shows a job's failure only when all jobs of the sweep have ended.
                print(f"job {HydraConfig.get().job.num} of the sweep failed:", file=sys.stderr)
                traceback.print_exception(error)
                error.ltrgr_reported = True  # type: ignore[attr-defined]
            raise

    return hydra.main(version_base="1.3", config_path=str(conf), config_name=verb)(run)


def _sweep_failed(verb: str) -> int:
    print(
        f"ltrgr {verb}: at least one job of the sweep failed (its traceback is above); the others "
        "are done. The same command runs only what is missing.",
        file=sys.stderr,
    )
    return CRASHED


@contextmanager
def _argv(arguments: list[str]) -> Iterator[None]:
    before, sys.argv = sys.argv, arguments
    try:
        yield
    finally:
        sys.argv = before


if __name__ == "__main__":
    sys.exit(main())
