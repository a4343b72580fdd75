"""Does stage 1 end at the same place whatever the seed, the precision and the threads?

    python experiments/stage1_stability.py                   # all of it: hours on two cores
    python experiments/stage1_stability.py --seeds 0 1 --threads 1 --before-seeds 0
    python experiments/stage1_stability.py --found           # no run: what is there already

Trains stage 1 of SEAL and MINDER on the demo once for each seed, precision and number of threads,
measures it on test, and writes `stage1_stability.json`, `.md` and `.png` below
experiments/main_table/results. Runs that are done are found again; a killed one goes on. The number
of threads is no part of an artefact's name, so each has a root of its own. `--before-seeds` adds
runs with the settings of before the initial weights were scaled with the width, for the picture.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FAMILIES = {"seal": "SEAL", "minder": "MINDER"}
BEFORE = [
    "model.backbone.network.init_scale=0.2263",  # 0.02 * sqrt(128): BART's 0.02 at this width
    "model.backbone.network.dropout=0.1",
    "pretrain.optimizer.lr=1e-3",
]
RESULTS = Path(__file__).parent / "main_table" / "results"
MOST_BELOW, MOST_SD = 3.0, 2.0
"""points of MRR@10: how far a run may lie below the mean, and the largest standard deviation"""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One stage 1."""

    family: str
    seed: int
    precision: str
    threads: int
    before: bool = False

    def overrides(self, root: Path) -> list[str]:
        """What `ltrgr` is told."""
        mine = root if self.threads == 1 else root.with_name(f"{root.name}-threads-{self.threads}")
        return [
            f"identifiers={self.family}", f"seed={self.seed}", f"root={mine}",
            f"pretrain.precision={self.precision}", f"compute.threads={self.threads}",
            "compute.progress=false", "wandb.mode=disabled", *(BEFORE if self.before else []),
        ]  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Run what is missing, then write the results."""
    given = _arguments(argv)
    runs = [
        Run(family=family, seed=seed, precision=precision, threads=threads, before=before)
        for before, seeds in ((False, given.seeds), (True, given.before_seeds))
        for threads, precision, seed, family in itertools.product(
            given.threads if not before else [1], given.precisions, seeds, FAMILIES
        )
    ]
    measured = list(_measured(runs, root=given.root, found=given.found))
    now = [one for one in measured if not one["before"]]
    if not now:
        print("nothing is measured yet", file=sys.stderr)
        return 1
    given.results.mkdir(parents=True, exist_ok=True)
    summary = [_summary(now, family) for family in FAMILIES]
    written = {"runs": [{k: v for k, v in one.items() if k != "curve"} for one in measured]}
    (given.results / "stage1_stability.json").write_text(
        json.dumps({"summary": summary, **written}, indent=1) + "\n"
    )
    text = _markdown(now, summary)
    (given.results / "stage1_stability.md").write_text(text)
    _picture(measured, given.results / "stage1_stability.png")
    print(text)
    return 0


def _measured(runs: Sequence[Run], *, root: Path, found: bool) -> Iterator[dict[str, Any]]:
    """Figures and curve of each run; with ``found``, of those that are done."""
    for number, run in enumerate(runs):
        overrides = run.overrides(root)
        if not found:
            print(f"{number + 1}/{len(runs)} {run}", file=sys.stderr, flush=True)
            subprocess.run(["ltrgr", "evaluate", "system=pretrain", *overrides], check=True)
        folders = _folders(overrides)
        if folders is None:
            continue
        pretrained, evaluated = folders
        metrics = json.loads((evaluated / "metrics.json").read_text())
        environment = json.loads((pretrained / "environment.json").read_text())
        yield {
            **asdict(run),
            "mrr@10": metrics["mrr@10"],
            "hits@5": metrics["hits@5"],
            "figures": json.loads((pretrained / "validation.json").read_text())["figures"],
            "torch_threads": environment["threads"]["torch"],
            "cpu": environment.get("cpu", {}).get("model"),
            "curve": _curve(pretrained),
        }


def _folders(overrides: Sequence[str]) -> tuple[Path, Path] | None:
    """Where the model of these settings and its evaluation lie; None where one is not done."""
    from hydra import compose, initialize_config_dir

    from ltrgr.cli.assembly import assemble
    from ltrgr.cli.main import config_directory
    from ltrgr.cli.resolvers import register_resolvers

    register_resolvers()
    with initialize_config_dir(str(config_directory()), version_base="1.3"):
        pipeline = assemble(compose("evaluate", overrides=["system=pretrain", *overrides]))
    evaluated = pipeline.measured("pretrain")
    if evaluated is None or not pipeline.pretrained.is_done():
        return None
    return pipeline.pretrained.directory, evaluated


def _curve(pretrained: Path) -> dict[int, dict[str, float]]:
    """step -> the dev figures logged there"""
    points: dict[int, dict[str, float]] = {}
    for path in sorted(pretrained.glob("curves/*/metrics.csv")):
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                dev = {k: float(v) for k, v in row.items() if k.startswith("dev/") and v}
                if dev:
                    points[int(row["step"]) + 1] = dev
    return points


def _summary(measured: Sequence[dict[str, Any]], family: str) -> dict[str, Any]:
    """Mean, standard deviation and lowest run of one family, in percent."""
    values = [100 * one["mrr@10"] for one in measured if one["family"] == family]
    mean = statistics.mean(values)
    sd = statistics.stdev(values) if len(values) > 1 else 0.0
    return {
        "family": FAMILIES[family],
        "runs": len(values),
        "mean": round(mean, 2),
        "sd": round(sd, 2),
        "lowest": round(min(values), 2),
        "within_bounds": mean - min(values) <= MOST_BELOW and sd <= MOST_SD,
    }


def _markdown(measured: Sequence[dict[str, Any]], summary: Sequence[dict[str, Any]]) -> str:
    """One row for each family, precision and number of threads, a column for each seed."""
    seeds = sorted({one["seed"] for one in measured})
    lines = [
        "| MRR@10 of stage 1, test | precision | threads | "
        + " | ".join(f"seed {seed}" for seed in seeds)
        + " |",
        f"| :-- | :-- | --: | {' | '.join('--:' for _ in seeds)} |",
    ]
    cells = {
        (one["family"], one["precision"], one["threads"], one["seed"]): 100 * one["mrr@10"]
        for one in measured
    }
    for family, precision, threads in dict.fromkeys(key[:3] for key in cells):
        row = [cells.get((family, precision, threads, seed)) for seed in seeds]
        shown = " | ".join("-" if value is None else f"{value:.1f}" for value in row)
        lines.append(f"| {FAMILIES[family]} | {precision} | {threads} | {shown} |")
    lines += ["", "| | runs | mean | standard deviation | lowest | within the bounds |"]
    lines.append("| :-- | --: | --: | --: | --: | :-- |")
    for one in summary:
        within = "yes" if one["within_bounds"] else "no"
        lines.append(
            f"| {one['family']} | {one['runs']} | {one['mean']:.1f} | {one['sd']:.1f} | "
            f"{one['lowest']:.1f} | {within} |"
        )
    return "\n".join(lines) + "\n"


def _picture(measured: Sequence[dict[str, Any]], path: Path) -> None:
    """Whole titles and spans right on dev by step: a line a run, before and now."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.4), dpi=150, layout="constrained")
    for axes, view in zip(figure.subplots(1, 2, sharex=True), ("title", "body"), strict=True):
        for one in measured:
            points = [
                (step, 100 * dev[f"dev/identifier_accuracy/{view}"])
                for step, dev in sorted(one["curve"].items())
            ]
            colour = "#d55e00" if one["before"] else "#0072b2"
            style = "-" if one["family"] == "seal" else "--"
            axes.plot(*zip(*points, strict=True), style, color=colour, linewidth=1, alpha=0.7)
        axes.set_title(f"whole {'titles' if view == 'title' else 'spans'} right on dev, percent")
        axes.set_xlabel("step of stage 1")
        axes.set_ylim(bottom=0)
    axes.plot([], [], color="#0072b2", label="initial weights scaled with the width")
    axes.plot([], [], color="#d55e00", label="as before: 0.02")
    axes.plot([], [], "-", color="grey", label="SEAL")
    axes.plot([], [], "--", color="grey", label="MINDER")
    figure.legend(loc="outside lower center", ncols=4, fontsize=8)
    figure.savefig(path)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--precisions", nargs="+", default=["bf16-mixed", "32-true"])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--before-seeds", type=int, nargs="*", default=[])
    parser.add_argument("--root", type=Path, default=Path("runs"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--found", action="store_true", help="run nothing")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
