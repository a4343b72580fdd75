"""Learning curves of both stages: loss by component, score scale, dev metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

import plotly.graph_objects as go

from ltrgr.report.page.chart import Points, Series, line_chart
from ltrgr.report.page.groups import Comparable, best_first, spelt
from ltrgr.report.page.runs import Run, Runs

COUNTERS = ("distinct_keys", "decoder_sequences", "encoder_passes")
SCALE = ("score_positive", "score_negative", "one_key_score")
DEV = ("dev/mrr@10", "dev/hits@1", "dev/hits@5", "dev/hits@20")
GENERATED = "dev/identifier_accuracy"
TOKENS = "dev/token_accuracy"
AT_ONCE = 6
"""lines that can be distinguished in one chart"""
DRAWN = 160
"""values of a running mean that a chart can show"""

Curves = Mapping[str, Points]
"""logged name -> (step, value)"""


def learning_curves(runs: Runs, sets: Sequence[Comparable]) -> dict[str, Any] | None:
    """The section of curves: charts of stage 1, of the best of stage 2, of each system of it."""
    ranked = [group for one in sets for group in best_first(one.ranked)]
    if not ranked and not runs.of("pretrain"):
        return None
    curves = {group: [_trained(runs, run) for run in group.runs] for group in ranked}
    systems = [
        (group.apart or group.label, charts)
        for group, found in curves.items()
        if (charts := _stage_two(found, group.seeds))
    ]
    trained = _stage_one_models(runs, sets)
    best = {g.apart or g.label: curves[g] for g in ranked[:AT_ONCE] if g in sets[0].groups}
    return {
        "stage_one": _stage_one({_model_name(runs, r): r.curves for r in trained[:AT_ONCE]}),
        "hidden": max(0, len(trained) - AT_ONCE),
        "overview": _overview(best) if systems else [],
        "systems": systems,
    }


def _trained(runs: Runs, evaluation: Run) -> Curves:
    return next((part.curves for part in runs.chain(evaluation) if part.stage == "rank"), {})


def _stage_one_models(runs: Runs, sets: Sequence[Comparable]) -> list[Run]:
    main = [run for group in (sets[0].groups if sets else ()) for run in group.runs]
    used = {part.fingerprint for run in main for part in runs.chain(run)}
    trained = [run for run in runs.of("pretrain") if run.curves]
    return [run for run in trained if run.fingerprint in used] or trained


def _model_name(runs: Runs, run: Run) -> str:
    index = runs.parent(run)
    views = " + ".join(index.inputs.get("views", {})) if index else ""
    return f"{views or 'model'} ({run.name[:6]})"


def _stage_one(found: Mapping[str, Curves]) -> list[go.Figure]:
    """Losses, rates, and what is right on dev: over the views, in each view, token by token."""
    losses = {
        model: _smooth(curves.get("train/generation_loss", ())) for model, curves in found.items()
    }
    if not any(losses.values()):
        return []
    labels = {GENERATED: "Greedy identifiers right on dev, percent, mean over the views"}
    for name in sorted({name for curves in found.values() for name in curves}):
        if name.startswith(f"{GENERATED}/"):
            labels[name] = f"Greedy identifiers right on dev, percent: {name.rpartition('/')[2]}"
    labels[TOKENS] = "Tokens right on dev after right ones, percent"
    rates = {
        model: next((points for name, points in curves.items() if name.startswith("lr-")), ())
        for model, curves in found.items()
    }
    return [
        *_models(losses, "Generation loss (running mean)"),
        *(
            chart
            for name, label in labels.items()
            for chart in _models(_named(found, name), label, percent=True, zero=True)
        ),
        *_models(rates, "Learning rate", zero=True),
    ]


def _overview(found: Mapping[str, Sequence[Curves]]) -> list[go.Figure]:
    """Dev figures of systems, one line each."""
    means = {
        metric: {
            name: _mean([c[metric] for c in seeds if metric in c]) for name, seeds in found.items()
        }
        for metric in ("dev/mrr@10", "dev/hits@5")
    }
    return [
        chart
        for metric, lines in means.items()
        for chart in _models(lines, f"{spelt(metric[4:])} on dev, the best systems", percent=True)
    ]


def _named(found: Mapping[str, Curves], name: str) -> dict[str, Points]:
    return {model: curves.get(name, ()) for model, curves in found.items()}


def _models(lines: Mapping[str, Points], label: str, **how: bool) -> list[go.Figure]:
    """A chart with one line for each model, over steps."""
    series = [Series(name, points, i) for i, (name, points) in enumerate(lines.items())]
    return line_chart(series, label=label, x_label="step", **how)


def _stage_two(found: Sequence[Curves], seeds: Sequence[int | None]) -> list[go.Figure]:
    """The charts of one system, from the curves of each seed."""
    names = list(dict.fromkeys(name for curves in found for name in curves))
    scale = [f"train/{name}" for name in SCALE if f"train/{name}" in names]
    left_out = {*scale, *(f"train/{name}" for name in COUNTERS), "train/loss"}
    parts = [name for name in names if name.startswith("train/") and name not in left_out]
    charts = {
        "Loss, all components": ["train/loss"],
        **{f"Component: {name.partition('/')[2]}": [name] for name in parts},
        "Score scale of trained pairs": scale,
        "Dev metrics, percent": [name for name in DEV if name in names],
    }
    return [
        chart
        for i, (label, lines) in enumerate(charts.items())
        for chart in line_chart(
            _seeds(found, seeds, lines, colour=i if i <= len(parts) else 0),
            label=label,
            x_label="step",
            percent=label.endswith("percent"),
        )
    ]


def _seeds(
    found: Sequence[Curves], seeds: Sequence[int | None], names: Sequence[str], *, colour: int
) -> list[Series]:
    series = []
    for i, name in enumerate(names, colour):
        curves = {seed: one[name] for seed, one in enumerate(found) if name in one}
        words = spelt(name.partition("/")[2].replace("_", " "))
        dashed = name.endswith("one_key_score")
        if len(curves) > 1 and not dashed:
            series += [
                Series(f"{words}, seed {seeds[seed]}", points, i, thin=True)
                for seed, points in curves.items()
            ]
        series.append(Series(words, _mean(list(curves.values())), i, dashed=dashed))
    return series


def _mean(curves: Sequence[Points]) -> Points:
    """Mean at the steps that every curve has; resumed or stopped seeds end early."""
    tables = [dict(curve) for curve in curves]
    steps = sorted(set.intersection(*map(set, tables))) if tables else []
    return [(step, fmean(table[step] for table in tables)) for step in steps]


def _smooth(points: Points, *, half: int = 4) -> Points:
    """Running mean over 2 ``half`` + 1 logged values, thinned to what a chart can show."""
    ys = [y for _, y in points]
    means = [(x, fmean(ys[max(0, i - half) : i + half + 1])) for i, (x, _) in enumerate(points)]
    return means[:: max(1, len(means) // DRAWN)]
