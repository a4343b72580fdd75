"""Score distributions of relevant and irrelevant passages, before and after stage 2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltrgr.report.page.chart import Series, line_chart
from ltrgr.report.page.groups import Comparable
from ltrgr.report.page.markup import Safe, el, join
from ltrgr.report.page.runs import Run, Runs
from ltrgr.report.page.widgets import code, note, panels, section

BARS = 60
"""bins drawn at most"""

Histogram = Mapping[str, Any]


def distributions(runs: Runs, sets: Sequence[Comparable]) -> Safe:
    """The section of score distributions."""
    found: list[tuple[str, object]] = []
    lacking = 0
    for one in sets[:1]:
        for group in sorted(one.ranked, key=lambda g: -g.mean("mrr@10")):
            after = next((s for run in group.runs if (s := run.read("scores.json"))), None)
            if after is None:
                lacking += 1
                continue
            start = runs.before(group.runs[0])
            before = start.read("scores.json") if start else None
            name = group.apart or group.label
            found.append((name, _pair(before, after)))
    parts: list[object] = [panels("scores", "System", found)] if found else []
    if lacking:
        parts.append(missing(lacking, "scores.json"))
    if not found:
        mined = [m for run in runs.of("mine") if (m := _mined(run)) is not None]
        parts += [el("div", *mined, cls="charts")] if mined else []
    if not parts:
        return Safe("")
    return section(
        "scores",
        "Scores of positives and negatives",
        *parts,
        lead="Percent of passages per score. Best of each kind: the best relevant and the best "
        "irrelevant passage of each question, the pair that decides the first place.",
    )


def missing(runs: int, name: str) -> Safe:
    """What to do about runs that were measured before ``name`` was written."""
    what = "1 measured system lacks" if runs == 1 else f"{runs} measured systems lack"
    return note(
        what,
        " ",
        code(name),
        ": measured by an older version. Remove that folder under ",
        code("evaluate/"),
        " and run the same command again; it searches again and trains nothing.",
    )


def _pair(before: Histogram | None, after: Histogram) -> Safe:
    parts = []
    shared = [one for one in (before, after) if one is not None]
    for words, stored in (("before stage 2", before), ("after stage 2", after)):
        if stored is None:
            parts.append(note(f"No scores {words}: its stage-1 model was not measured with them."))
            continue
        parts.append(_chart(stored, "best_", f"Best of each kind, {words}", shared))
        parts.append(_chart(stored, "", f"All listed, {words}", shared))
    return el("div", *parts, cls="charts two")


def _chart(stored: Histogram, kind: str, label: str, shared: Sequence[Histogram]) -> Safe:
    """Two histograms; bins and axes are those of all of ``shared``."""
    names = (f"{kind}positive", f"{kind}negative")
    longest = max(1, *(len(one[name]) for one in shared for name in names))
    merged = -(-longest // BARS)
    bins, width = -(-longest // merged), stored["width"] * merged
    top = max(
        float(_shares(one[name], merged, bins=bins).max()) for one in shared for name in names
    )
    series = []
    for i, name in enumerate(names):
        middle = _median(stored[name], stored["width"])
        words = f"{('relevant', 'irrelevant')[i]}, median {middle:.0f}"
        points = _steps(_shares(stored[name], merged, bins=bins), width)
        series.append(Series(name=words, points=points, colour=(2, 1)[i], filled=True))
    return line_chart(
        series,
        label=label,
        x_label="score",
        zero=True,
        percent=True,
        x_from=0,
        y_to=top,
        wide=True,
    )


def _shares(counts: Sequence[int], merged: int, *, bins: int) -> NDArray[np.float64]:
    """[bins] share of what was counted, ``merged`` stored bins to one."""
    padded = np.zeros(bins * merged)
    padded[: len(counts)] = counts
    return np.asarray(padded.reshape(bins, merged).sum(axis=1) / max(1, sum(counts)))


def _steps(shares: NDArray[np.float64], width: float) -> list[tuple[float, float]]:
    """The outline of a histogram."""
    points = [(0.0, 0.0)]
    for i, share in enumerate(shares.tolist()):
        points += [(i * width, share), ((i + 1) * width, share)]
    return [*points, (len(shares) * width, 0.0)]


def _median(counts: Sequence[int], width: float) -> float:
    """Middle of the bin that holds the median; 0 where nothing was counted."""
    total = np.cumsum(counts)
    if not len(total) or total[-1] == 0:
        return 0.0
    return float((np.searchsorted(total, total[-1] / 2) + 0.5) * width)


def _mined(run: Run) -> Safe | None:
    """Training questions before stage 2: all that older runs hold."""
    paths = [run.directory / f"{name}.npy" for name in ("score", "relevance")]
    if not all(path.is_file() for path in paths):
        return None
    score, relevance = (np.load(path, mmap_mode="r") for path in paths)
    listed = np.isfinite(score)
    width = float(np.asarray(score)[listed].max(initial=1.0)) / BARS
    stored: dict[str, Any] = {"width": width}
    for name, judged in (("positive", relevance & listed), ("negative", ~relevance & listed)):
        stored[name] = np.bincount((np.asarray(score)[judged] / width).astype(int)).tolist() or [0]
    label = f"Mined lists {run.name[:6]} (training questions, stage 1)"
    return join([_chart(stored, "", label, (stored,))])
