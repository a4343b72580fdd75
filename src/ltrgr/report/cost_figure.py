"""The picture of the cost of search: every turn, before against after learning to rank."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure


def cost_figure(found: Mapping[str, Any]) -> Figure:
    """Draw what ``pipeline.cost_measurement`` found; the diagonal is equal cost."""
    figure = Figure(figsize=(8, 3.8), dpi=130)
    seconds, keys = figure.subplots(1, 2)
    before, after = found["systems"]["pretrain"], found["systems"]["rank"]
    _against(seconds, [1e3 * s for s in before["seconds"]], [1e3 * s for s in after["seconds"]])
    seconds.set_title("ms per question, a point a turn", fontsize=10)
    _against(keys, before["keys"], after["keys"])
    keys.set_title("identifiers found per question", fontsize=10)
    return figure


def _against(axes: Axes, before: list[float], after: list[float]) -> None:
    ends = min(*before, *after), max(*before, *after)
    axes.plot(ends, ends, color="#999999", linewidth=1)
    axes.scatter(before, after, s=14, color="#0072b2", alpha=0.7)
    axes.set_xlabel("before learning to rank")
    axes.set_ylabel("after")
    axes.set_aspect("equal", adjustable="datalim")
    axes.spines[["top", "right"]].set_visible(False)
