"""The picture of the table: bars per system and metric, or lines over a varied setting."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ltrgr.report.result_table import Cell, ResultTable, Row

METRICS = ("hits@5", "hits@20", "hits@100", "MRR@10")
COLOURS = ("#0072b2", "#56b4e9", "#b7dcf2", "#e69f00", "#009e73", "#cc79a7")
"""Okabe and Ito's palette: colour-blind readers can distinguish them; hits share a hue."""
LINES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#000000")


def table_figure(table: ResultTable, *, metrics: tuple[str, ...] = METRICS) -> Figure:
    """Draw a table: horizontal grouped bars in percent, error bars of one standard deviation.

    Draws those of ``metrics`` that the table has (all of the table's where it has none of them),
    in the table's row order from top to bottom. A table over a varied setting has one panel per
    metric instead, with a line per system.
    """
    shown = [metric for metric in metrics if metric in table.metrics] or list(table.metrics)
    return _curves(table, shown) if table.varied else _grouped(table, shown)


def _grouped(table: ResultTable, shown: list[str]) -> Figure:
    figure = Figure(figsize=(8, 1.2 + 0.15 * (len(shown) + 1) * len(table.rows)), dpi=150)
    axes = figure.subplots()
    for i, metric in enumerate(shown):
        _bars(axes, table, metric, slot=i, slots=len(shown))
    _frame(axes, table)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper right", ncols=len(shown))
    return figure


def _curves(table: ResultTable, shown: list[str]) -> Figure:
    figure = Figure(figsize=(3.2 * len(shown) + 0.6, 3.6), dpi=150)
    lines = list(dict.fromkeys(row.line for row in table.rows))
    panels = figure.subplots(1, len(shown), squeeze=False)[0]
    for axes, metric in zip(panels, shown, strict=True):
        for number, line in enumerate(lines):
            _line(axes, [row for row in table.rows if row.line == line], metric, number)
        axes.set_title(metric, loc="left", fontsize=9)
        axes.set_xlabel(table.varied)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color="#dddddd", linewidth=0.6)
    panels[0].set_ylabel("percent")
    figure.suptitle(table.title, x=0.01, ha="left", fontsize=10)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(6, len(lines)), fontsize=8)
    return figure


def _line(axes: Axes, rows: list[Row], metric: str, number: int) -> None:
    colour, style = LINES[number % len(LINES)], ("-", "--", ":")[number // len(LINES) % 3]
    cells = [row.cells.get(metric, Cell(mean=float("nan"))) for row in rows]
    means = [100 * cell.mean for cell in cells]
    if rows[0].x is None:  # a system that does not depend on the setting
        axes.axhline(means[0], color=colour, linestyle=":", label=rows[0].line)
        return
    places = [float("nan") if row.x is None else row.x for row in rows]
    spreads = [0.0 if cell.spread is None else 100 * cell.spread for cell in cells]
    axes.errorbar(
        places, means, yerr=spreads, color=colour, linestyle=style, marker="o", markersize=3,
        capsize=2, label=rows[0].line,
    )  # fmt: skip


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
