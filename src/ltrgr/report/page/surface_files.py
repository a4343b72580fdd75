"""Sweep surfaces as files for a paper or a notebook: a tidy CSV and a picture of each."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ltrgr.disk import write_atomically
from ltrgr.report.page.differences import Axis
from ltrgr.report.page.groups import comparables
from ltrgr.report.page.heat_maps import LEVEL, METRICS, one_key_of, tick
from ltrgr.report.page.runs import Runs
from ltrgr.report.page.surface import Surface, stable
from ltrgr.report.page.sweeps import swept
from ltrgr.report.png import as_png


def write_surfaces(root: Path, folder: Path, *, samples: int = 10_000) -> list[Path]:
    """Write ``<x>_by_<y>_<split>.csv`` and ``.png`` for every surface of the sweeps below ``root``.

    The latest sweep's come first; a name that is taken gets a number.

    Args:
        samples: sign patterns of each randomisation test (stable region: see ``surface.stable``).

    Raises:
        NoRunsError: nothing was measured there.
    """
    runs = Runs.load(root)
    written: list[Path] = []
    for one, surface in swept(runs, comparables(runs)):
        names = dict.fromkeys([surface.x.name, surface.y.name])
        stem = _free(f"{'_by_'.join(names)}_{one.split}".replace("/", "-"), folder, written)
        key = next((k for g in surface.cells.values() if (k := one_key_of(runs, g))), None)
        regions = {m: stable(surface, m, samples=samples, level=LEVEL) for m in METRICS}
        for suffix, content in (
            ("csv", tidy(surface, regions)),
            ("png", as_png(surface_figure(surface, regions, one_key=key))),
        ):
            folder.mkdir(parents=True, exist_ok=True)
            written.append(folder / f"{stem}.{suffix}")
            write_atomically(written[-1], content)
    return written


def tidy(surface: Surface, regions: dict[str, set[tuple[Any, Any]]]) -> str:
    """One line a cell: both settings, seeds, every metric's mean and spread, and what is stable."""
    metrics = list(next(iter(surface.cells.values())).metrics)
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    names = list(dict.fromkeys([surface.x.name, surface.y.name]))
    spreads = [f"{metric} std" for metric in metrics]
    table.writerow([*names, "seeds", *metrics, *spreads, *(f"{m} stable" for m in regions)])
    for (x, y), group in surface.cells.items():
        known = [metric if metric in group.metrics else None for metric in metrics]
        table.writerow(
            [
                *(x, y)[: len(names)],
                len(group.runs),
                *("" if m is None else f"{group.mean(m):.6f}" for m in known),
                *("" if m is None else _number(group.spread(m)) for m in known),
                *(int((x, y) in region) for region in regions.values()),
            ]
        )
    return out.getvalue()


def surface_figure(
    surface: Surface, regions: dict[str, set[tuple[Any, Any]]], *, one_key: float | None
) -> Figure:
    """One heat map a metric, percent; the stable region is framed.

    Args:
        one_key: what a confident key seen once is worth, for axes in both units.
    """
    width, height = len(surface.xs), len(surface.ys)
    size = (len(regions) * (0.85 * width + 1.6), 0.55 * height + 1.4)
    figure = Figure(figsize=size, dpi=150, layout="constrained")
    panels = figure.subplots(1, len(regions), squeeze=False)[0]
    for axes, (metric, region) in zip(panels, regions.items(), strict=True):
        _map(axes, surface, metric, region)
        axes.set_title(metric.replace("mrr", "MRR"), loc="left", fontsize=9)
        axes.set_xticks(range(width), _ticks(surface.x, surface.xs, surface, one_key))
        axes.set_yticks(range(height), _ticks(surface.y, surface.ys, surface, one_key))
        axes.set_xlabel(surface.x.name)
        axes.set_ylabel("" if surface.x is surface.y else surface.y.name)
        axes.tick_params(labelsize=7, length=0)
    return figure


def _map(axes: Axes, surface: Surface, metric: str, region: set[tuple[Any, Any]]) -> None:
    values = np.full((len(surface.ys), len(surface.xs)), math.nan)
    for (x, y), group in surface.cells.items():
        if metric in group.metrics:
            values[surface.ys.index(y), surface.xs.index(x)] = 100 * group.mean(metric)
    axes.imshow(values, origin="lower", cmap="Blues", aspect="auto")
    middle = np.nanmean([np.nanmin(values), np.nanmax(values)])
    for (row, column), value in np.ndenumerate(values):
        if math.isfinite(value):
            colour = "white" if value > middle else "black"
            axes.text(
                column, row, f"{value:.1f}", ha="center", va="center", fontsize=7, color=colour
            )
        if (surface.xs[column], surface.ys[row]) in region:
            frame = Rectangle((column - 0.47, row - 0.45), 0.94, 0.9, fill=False)
            frame.set(edgecolor="#d55e00", linewidth=1.5)
            axes.add_patch(frame)


def _ticks(axis: Axis, values: Sequence[Any], surface: Surface, one_key: float | None) -> list[str]:
    return ["\n".join(tick(axis.name, value, surface, key=one_key)) for value in values]


def _free(stem: str, folder: Path, written: Sequence[Path]) -> str:
    """``stem``, numbered where an earlier surface of this call has that name."""
    number, name = 1, stem
    while folder / f"{name}.csv" in written:
        number += 1
        name = f"{stem}_{number}"
    return name


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"
