"""The picture of the table: one group of bars per system, one bar per metric."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ltrgr.report.table import Cell, ResultTable

METRICS = ("hits@5", "hits@20", "hits@100", "MRR@10")
COLOURS = ("#0072b2", "#56b4e9", "#b7dcf2", "#e69f00", "#009e73", "#cc79a7")
"""Okabe and Ito's palette: told apart by colour-blind readers; hits share a hue."""


def picture(table: ResultTable, *, metrics: tuple[str, ...] = METRICS) -> bytes:
    """Return a PNG: horizontal grouped bars in percent, error bars of one standard deviation.

    Draws those of ``metrics`` that the table has (all of the table's where it has none of them),
    in the table's row order from top to bottom.
    """
    shown = [metric for metric in metrics if metric in table.metrics] or list(table.metrics)
    figure = Figure(figsize=(8, 1.2 + 0.15 * (len(shown) + 1) * len(table.rows)), dpi=150)
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for i, metric in enumerate(shown):
        _bars(axes, table, metric, slot=i, slots=len(shown))
    _frame(axes, table)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper right", ncols=len(shown))
    figure.set_layout_engine("constrained")
    out = BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()


def _bars(axes: Axes, table: ResultTable, metric: str, *, slot: int, slots: int) -> None:
    height = 0.8 / slots
    places = np.arange(len(table.rows)) + (slot - (slots - 1) / 2) * height
    cells = [row.cells.get(metric, Cell(mean=float("nan"))) for row in table.rows]
    means = np.array([100 * cell.mean for cell in cells])
    spreads = np.array([np.nan if cell.spread is None else 100 * cell.spread for cell in cells])
    axes.barh(places, means, height=0.92 * height, color=COLOURS[slot % 6], label=metric)
    axes.errorbar(means, places, xerr=spreads, fmt="none", ecolor="#333333", elinewidth=1)
    for place, mean, spread in zip(places, means, np.nan_to_num(spreads), strict=True):
        if np.isfinite(mean):
            axes.text(mean + spread + 0.7, place, f"{mean:.1f}", va="center", fontsize=6)


def _frame(axes: Axes, table: ResultTable) -> None:
    axes.set_yticks(range(len(table.rows)), [row.name for row in table.rows])
    axes.set_ylim(len(table.rows) - 0.45, -0.55)
    axes.set_xlim(0, 105)
    axes.set_xlabel("percent")
    axes.set_title(table.title, loc="left", fontsize=10, wrap=True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
