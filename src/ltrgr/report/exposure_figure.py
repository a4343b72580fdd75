"""The picture of exposure bias: four panels, before and after learning to rank."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7")
"""per view; Okabe and Ito's palette"""
CURVES = {
    "forced": "right token after gold prefixes",
    "own": "own prefix still right",
    "on_beam": "gold prefix still on the beam",
}
KINDS = {"found": 0.95, "search": 0.6, "model": 0.2}
"""outcome -> opacity of its part of the bar"""
FEWEST = 10
"""questions below which a depth is not drawn"""


def exposure_figure(systems: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Draw ``{system: {view: summary}}``; the last system is drawn solid.

    Three curves over the depth in tokens, then the shares of questions whose gold identifier was
    found, lost by the search, or scored too low by the model.
    """
    figure = Figure(figsize=(13, 3.5), dpi=130)
    panels = figure.subplots(1, 4)
    views = [v for v in next(iter(systems.values())) if _drawn(systems, v)]
    for axes, (curve, title) in zip(panels, CURVES.items(), strict=False):
        for last, (name, system) in enumerate(systems.items(), start=1 - len(systems)):
            for view, colour in zip(views, COLOURS, strict=False):
                _line(axes, system[view], curve, f"{name}: {view}", colour, solid=last == 0)
        _frame(axes, title)
        axes.set_xlabel("depth, tokens")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylim(0, 102)
    panels[0].set_ylabel("percent of questions")
    _bars(panels[3], systems, views)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=6, fontsize=8)
    return figure


def _drawn(systems: Mapping[str, Mapping[str, Any]], view: str) -> bool:
    return all(system[view]["questions"] > 0 for system in systems.values())


def _line(
    axes: Axes, shown: Mapping[str, Any], curve: str, label: str, colour: str, *, solid: bool
) -> None:
    enough = [n >= min(FEWEST, shown["questions"]) for n in shown["questions_by_depth"]]
    points = [
        (depth, 100 * value)
        for depth, value, n in zip(shown["depth"], shown[curve], enough, strict=True)
        if n and value is not None
    ]
    axes.plot(
        *zip(*points, strict=True), color=colour, linestyle="-" if solid else "--", marker="o",
        markersize=2.5, linewidth=1.3, label=label,
    )  # fmt: skip


def _bars(axes: Axes, systems: Mapping[str, Mapping[str, Any]], views: list[str]) -> None:
    names = [f"{view}\n{name}" for view in views for name in systems]
    colours = [colour for colour in COLOURS[: len(views)] for _ in systems]
    height = [0.0] * len(names)
    for kind, opacity in KINDS.items():
        share = [100 * s[view]["errors"][kind] for view in views for s in systems.values()]
        axes.bar(range(len(names)), share, bottom=height, color=colours, alpha=opacity)
        height = [a + b for a, b in zip(height, share, strict=True)]
    axes.set_xticks(range(len(names)), names, fontsize=7)
    _frame(axes, "dark to light: found, search, model error")


def _frame(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
