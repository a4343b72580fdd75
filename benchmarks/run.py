"""The command: choose a corpus, measure every group, print, write JSON, compare."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from benchmarks import build, decoding, docids, mining, models, report, scoring, share, steps
from benchmarks.measure import Row
from benchmarks.reference import Reference
from benchmarks.world import World, make_world
from ltrgr.errors import CorpusError, RetrieverError
from ltrgr.pipeline.environment import environment

GROUPS = ("build", "steps", "decoding", "share", "scoring", "docids", "mining")
LARGE = 20e6
"""tokens from which an index is built once only"""


def main(arguments: Sequence[str]) -> int:
    """Run with these command-line arguments; 0 if all went well."""
    base, settings = parse(arguments)
    try:
        if settings.new is not None:
            new = report.read(settings.new)
        else:
            with TemporaryDirectory(dir=settings.work, prefix="ltrgr-bench-") as directory:
                new = run(settings, Path(directory))
            path = settings.out or _file(new)
            report.write(new, path)
            print(f"\nwritten to {path}")
        if base is not None:
            print("\n" + report.compare(base, new))
    except (report.ReportError, CorpusError, RetrieverError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def run(settings: argparse.Namespace, directory: Path) -> dict[str, Any]:
    """Measure the groups of ``settings``, printing every row as it comes."""
    world = make_world(
        path=settings.corpus,
        n_tokens=None if settings.tokens is None else int(settings.tokens),
        vocabulary_size=settings.vocabulary,
        directory=directory,
    )
    corpus = {
        "name": world.name,
        "tokens": len(world.tokens),
        "passages": len(world.offsets) - 1,
        "vocabulary": len(world.vocabulary),
    }
    print(report.heading(corpus), flush=True)
    rows = []
    for row in measure(settings, world):
        print(report.line(row, n_tokens=len(world.tokens)), flush=True)
        rows.append(row)
    return {
        "corpus": corpus,
        "settings": {name: _plain(value) for name, value in vars(settings).items()},
        "environment": environment(seed=settings.seed),
        "rows": report.as_plain(rows),
    }


def measure(settings: argparse.Namespace, world: World) -> Iterator[Row]:
    """The rows of the chosen groups; the index is always built, everything else needs it."""
    repeats, seed, only = settings.repeats, settings.seed, settings.only
    small = len(world.tokens) <= settings.reference_tokens
    built = build.measure(world, repeats=1 if len(world.tokens) > LARGE else min(3, repeats))
    yield from (row for row in built if "build" in only)
    index = world.open_index()
    plain = Reference(world.tokens.tolist(), world.offsets.tolist()) if small else None
    if "steps" in only:
        yield from steps.measure(world, index, plain, repeats=repeats, seed=seed)
    if "decoding" in only:
        yield from decoding.measure(world, index, plain, repeats=repeats, seed=seed)
    if "scoring" in only:
        yield from scoring.measure(world, index, plain, repeats=repeats, seed=seed)
    del plain
    if "docids" in only:
        yield from docids.measure(world, repeats=repeats, seed=seed)
    if "share" in only:
        few, tiny = settings.model_repeats, models.tiny(world.vocabulary)
        yield from share.measure_generate(world, index, tiny, repeats=few, seed=seed)
        if settings.model == "bart-base":
            base = models.bart_base_shape(world.vocabulary).to(settings.device)
            name = "bart-base shape"
            if base.device.type == "cuda":
                name += f", {torch.cuda.get_device_name(base.device)}"
            yield from share.measure(world, index, base, name=name, repeats=few, seed=seed)
    if "mining" in only:
        yield from mining.measure(
            world,
            trained=settings.retriever,
            questions=settings.questions,
            repeats=settings.model_repeats,
            seed=seed,
        )


def parse(arguments: Sequence[str]) -> tuple[dict[str, Any] | None, argparse.Namespace]:
    """The base report, if one is named, and the settings, whose defaults are then the base's."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = parser.add_argument
    add("--corpus", help="a BEIR folder; the built-in demo corpus if left out")
    add("--tokens", type=float, help="resample the corpus to this number of tokens, e.g. 100e6")
    add("--vocabulary", type=int, help="symbols of the BPE (1,500 for the demo, else 50,000)")
    add("--only", nargs="+", choices=GROUPS, default=list(GROUPS), help="groups to measure")
    add("--repeats", type=int, default=9)
    add("--model", choices=("bart-base", "none"), default="bart-base", help="shape for the share")
    add("--model-repeats", type=int, default=3, help="repeats where a model runs")
    add("--retriever", help="a trained retriever over its own index, for mining")
    add("--questions", type=int, default=64, help="questions mined in each repeat")
    add("--reference-tokens", type=float, default=5e6, help="no pure Python above this size")
    add("--device", default="cpu", help="of the bart-base shape, e.g. cuda")
    add("--threads", type=int, help="torch threads")
    add("--seed", type=int, default=0)
    add("--work", type=Path, help="where the index is built (the temporary directory)")
    add("--out", type=Path, help="the JSON file (runs/benchmarks/TIME-COMMIT.json)")
    add("--compare", type=Path, metavar="BASE", help="a report to compare with")
    add("--new", type=Path, help="with --compare: another report instead of a run")
    named = parser.parse_args(arguments).compare
    base = None
    if named is not None:
        try:
            base = report.read(named)
        except report.ReportError as error:
            parser.error(str(error))
        kept = base["settings"].items()
        parser.set_defaults(**{k: v for k, v in kept if k not in _OF_ONE_RUN})
    settings = parser.parse_args(arguments)
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    return base, settings


_OF_ONE_RUN = ("work", "out", "compare", "new")


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def _file(written: dict[str, Any]) -> Path:
    git = written["environment"]["git"] or {}
    time = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    name = f"{time}-{(git.get('commit') or 'unknown')[:10]}.json"
    return Path("runs") / "benchmarks" / name
