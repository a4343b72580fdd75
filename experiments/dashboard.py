"""The W&B workspace as code: the same views as `ltrgr report`, live, for those who have a key.

    pip install wandb-workspaces
    WANDB_API_KEY=... python experiments/dashboard.py --entity NAME [--project ltrgr]

Run it again after an edit here: it makes another saved view; W&B keeps the old one.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

DEV = ("dev/mrr@10", "dev/hits@1", "dev/hits@5", "dev/hits@20", "dev/recall@20")
LOSSES = (
    "train/loss",
    "train/rank1",
    "train/rank2",
    "train/listwise",
    "train/pairwise",
    "train/distil",
)
SCALE = ("train/score_positive", "train/score_negative", "train/one_key_score")
COST = ("train/distinct_keys", "train/decoder_sequences", "train/encoder_passes")
SWEPT = (
    "settings.objective.lambda_generation",
    "settings.objective.terms.rank1.loss.margin",
    "settings.objective.terms.rank1.weight",
    "settings.objective.terms.rank2.weight",
    "settings.optimizer.lr",
    "settings.seed",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Save the workspace and print where it is; 2 where key or package is missing."""
    parser = argparse.ArgumentParser(description="Save the W&B workspace of ltrgr's runs.")
    parser.add_argument("--entity", required=True, help="W&B user or team")
    parser.add_argument("--project", default="ltrgr", help="as wandb.project of the runs")
    parser.add_argument("--name", default="LTRGR laboratory", help="the workspace's name")
    given = parser.parse_args(argv)
    if not os.environ.get("WANDB_API_KEY"):
        return refuse(
            "found no WANDB_API_KEY, expected the key of a W&B account (wandb.ai/authorize): "
            "WANDB_API_KEY=... python experiments/dashboard.py --entity NAME. Without an account: "
            "ltrgr report"
        )
    try:
        built = workspace(entity=given.entity, project=given.project, name=given.name)
    except ModuleNotFoundError as error:
        return refuse(f"found no module {error.name!r}; pip install wandb-workspaces")
    print(built.save().url)
    return 0


def refuse(words: str) -> int:
    """Say what is missing."""
    print(f"dashboard: {words}", file=sys.stderr)
    return 2


def workspace(*, entity: str, project: str, name: str) -> Any:
    """The workspace, not yet saved: dev figures, losses, score scale, sweep, cost, stage 1."""
    import wandb_workspaces.reports.v2 as wr
    import wandb_workspaces.workspaces as ws

    def lines(metrics: Sequence[str]) -> list[Any]:
        return [wr.LinePlot(title=metric, x="Step", y=[metric]) for metric in metrics]

    together = wr.LinePlot(title="positives, negatives and one key", x="Step", y=list(SCALE))
    axes = [wr.ParallelCoordinatesPlotColumn(metric=wr.Config(key)) for key in SWEPT]
    axes.append(wr.ParallelCoordinatesPlotColumn(metric=wr.SummaryMetric("dev/mrr@10")))
    surface = wr.ScatterPlot(
        title="margin, lambda and MRR@10",
        x=wr.Config(SWEPT[1]),
        y=wr.Config(SWEPT[0]),
        z=wr.SummaryMetric("dev/mrr@10"),
    )
    sweep = [wr.ParallelCoordinatesPlot(title="settings", columns=axes), surface]
    sections = {
        "Dev": lines(DEV),
        "Loss by component": lines([*LOSSES, "train/generation"]),
        "Score scale": [together],
        "Sweep": [*sweep, wr.BarPlot(title="MRR@10 on dev", metrics=["dev/mrr@10"])],
        "Cost of a step": lines(COST),
        "Stage 1": lines(["train/generation_loss"]),
    }
    return ws.Workspace(
        entity=entity,
        project=project,
        name=name,
        sections=[
            ws.Section(name=title, panels=panels, is_open=place < 4)
            for place, (title, panels) in enumerate(sections.items())
        ],
    )


if __name__ == "__main__":
    sys.exit(main())
