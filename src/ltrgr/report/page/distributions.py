"""Score distributions of relevant and irrelevant passages, before and after stage 2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from ltrgr.report.page.chart import COLOURS, empty_figure, short
from ltrgr.report.page.groups import Comparable, best_first
from ltrgr.report.page.runs import Run, Runs

BARS = 60
"""bins drawn at most"""

Histogram = Mapping[str, Any]


def distributions(runs: Runs, sets: Sequence[Comparable]) -> dict[str, Any] | None:
    """The section of scores: charts of each system, systems without scores, older mined lists."""
    systems = []
    lacking = 0
    for group in best_first(sets[0].ranked if sets else ()):
        after = next((s for run in group.runs if (s := run.read("scores.json"))), None)
        if after is None:
            lacking += 1
            continue
        start = runs.before(group.runs[0])
        before = start.read("scores.json") if start else None
        systems.append((group.apart or group.label, _pair(before, after)))
    mined = [] if systems else [chart for run in runs.of("mine") for chart in _mined(run)]
    found = {"systems": systems, "lacking": lacking, "mined": mined}
    return found if any(found.values()) else None


def _pair(before: Histogram | None, after: Histogram) -> list[go.Figure | str]:
    parts: list[go.Figure | str] = []
    shared = [one for one in (before, after) if one is not None]
    for words, stored in (("before stage 2", before), ("after stage 2", after)):
        if stored is None:
            parts.append(f"No scores {words}: its stage-1 model was not measured with them.")
            continue
        parts.append(_chart(stored, "best_", f"Best of each kind, {words}", shared))
        parts.append(_chart(stored, "", f"All listed, {words}", shared))
    return parts


def _chart(stored: Histogram, kind: str, label: str, shared: Sequence[Histogram]) -> go.Figure:
    """Two histograms; bins and axes are those of all of ``shared``."""
    names = {f"{kind}positive": "relevant", f"{kind}negative": "irrelevant"}
    longest = max(1, *(len(one[name]) for one in shared for name in names))
    merged = -(-longest // BARS)
    bins, width = -(-longest // merged), stored["width"] * merged
    top = max(_shares(one[name], merged, bins=bins).max() for one in shared for name in names)
    figure = empty_figure(label, "score", list(names))
    figure.update_layout(
        xaxis={"range": [0, short(bins * width)], "hoverformat": ".4~g"},
        yaxis_range=[0, short(106 * float(top) or 1)],
    )
    for name, kind_of, colour in zip(names, names.values(), (2, 1), strict=True):
        shares = _shares(stored[name], merged, bins=bins)
        bars = _bars(shares, width, name=kind_of, colour=COLOURS[colour])
        bars.name += f", median {_median(stored[name], stored['width']):.0f}"
        figure.add_trace(bars)
    return figure


def _bars(shares: NDArray[np.float64], width: float, *, name: str, colour: str) -> go.Bar:
    edges = [short(i * width) for i in range(len(shares) + 1)]
    return go.Bar(
        x=[short((low + high) / 2) for low, high in pairwise(edges)],
        y=[short(100 * share) for share in shares.tolist()],
        customdata=[f"{low:.4g} to {high:.4g}" for low, high in pairwise(edges)],
        width=short(width),
        name=name,
        marker={"color": colour, "opacity": 0.5, "line": {"width": 0}},
        # The short name: with the median, the words are wider than a telephone.
        hovertemplate=f"{name}: %{{y:.3~g}} % from %{{customdata}}<extra></extra>",
    )


def _shares(counts: Sequence[int], merged: int, *, bins: int) -> NDArray[np.float64]:
    """[bins] share of what was counted, ``merged`` stored bins to one."""
    padded = np.zeros(bins * merged)
    padded[: len(counts)] = counts
    return np.asarray(padded.reshape(bins, merged).sum(axis=1) / max(1, sum(counts)))


def _median(counts: Sequence[int], width: float) -> float:
    """Middle of the bin that holds the median; 0 where nothing was counted."""
    total = np.cumsum(counts)
    if not len(total) or total[-1] == 0:
        return 0.0
    return float((np.searchsorted(total, total[-1] / 2) + 0.5) * width)


def _mined(run: Run) -> list[go.Figure]:
    """Training questions before stage 2: all that older runs hold."""
    paths = [run.directory / f"{name}.npy" for name in ("score", "relevance")]
    if not all(path.is_file() and path.name not in run.damage for path in paths):
        return []
    score, relevance = (np.load(path, mmap_mode="r") for path in paths)
    listed = np.isfinite(score)
    width = float(np.asarray(score)[listed].max(initial=1.0)) / BARS
    stored: dict[str, Any] = {"width": width}
    for name, judged in (("positive", relevance & listed), ("negative", ~relevance & listed)):
        stored[name] = np.bincount((np.asarray(score)[judged] / width).astype(int)).tolist() or [0]
    label = f"Mined lists {run.name[:6]} (training questions, stage 1)"
    return [_chart(stored, "", label, (stored,))]
