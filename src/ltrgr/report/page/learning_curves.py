"""Learning curves of both stages: loss by component, score scale, dev metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ltrgr.report.page.chart import Points, Series, line_chart
from ltrgr.report.page.groups import Comparable, Group
from ltrgr.report.page.markup import Safe, el, join
from ltrgr.report.page.runs import Run, Runs
from ltrgr.report.page.widgets import note, panels, section

COUNTERS = ("distinct_keys", "decoder_sequences", "encoder_passes")
SCALE = ("score_positive", "score_negative", "one_key_score")
DEV = ("dev/mrr@10", "dev/hits@1", "dev/hits@5", "dev/hits@20")
GENERATED = "dev/identifier_accuracy"
TOKENS = "dev/token_accuracy"
AT_ONCE = 6
"""lines that can be distinguished in one chart"""


def learning_curves(runs: Runs, sets: Sequence[Comparable]) -> Safe:
    """The section of curves."""
    ranked = [group for one in sets for group in _best_first(one.ranked)]
    if not ranked and not runs.of("pretrain"):
        return Safe("")
    second: list[tuple[str, object]] = [
        (group.apart or group.label, charts)
        for group in ranked
        if (charts := _stage_two([_trained(runs, run) for run in group.runs]))
    ]
    parts = [el("h3", "Stage 1: learning to generate"), _stage_one(runs, sets)]
    if second:
        parts += [
            el("h3", "Stage 2: learning to rank"),
            _overview(runs, _best_first(sets[0].ranked)),
        ]
        parts.append(panels("curves", "System", second))
    return section(
        "curves",
        "Learning curves",
        *parts,
        lead="Thin lines are seeds, thick ones their mean. Loss components as logged: rank losses "
        "in their own unit, before weights.",
    )


def _best_first(groups: Sequence[Group]) -> list[Group]:
    return sorted(groups, key=lambda g: -g.mean("mrr@10") if "mrr@10" in g.metrics else 0.0)


def _trained(runs: Runs, evaluation: Run) -> Mapping[str, Points]:
    return next((part.curves for part in runs.chain(evaluation) if part.stage == "rank"), {})


def _stage_one(runs: Runs, sets: Sequence[Comparable]) -> Safe:
    main = [run for group in (sets[0].groups if sets else ()) for run in group.runs]
    used = {part.fingerprint for run in main for part in runs.chain(run)}
    trained = [run for run in runs.of("pretrain") if run.curves]
    trained = [run for run in trained if run.fingerprint in used] or trained
    losses, rates = [], []
    drawn = {_model_name(runs, run): run for run in trained[:AT_ONCE]}
    for i, (name, run) in enumerate(drawn.items()):
        loss = run.curves.get("train/generation_loss", [])
        losses.append(Series(name=name, points=_smooth(loss), colour=i))
        rate = next((c for key, c in run.curves.items() if key.startswith("lr-")), [])
        rates.append(Series(name=name, points=rate, colour=i))
    if not any(one.points for one in losses):
        return note("No curves of stage 1 in these runs.")
    hidden = len(trained) - AT_ONCE
    more = note(f"{hidden} more stage-1 models are not drawn.") if hidden > 0 else ""
    charts = [
        line_chart(losses, label="Generation loss (running mean)", x_label="step", wide=True),
        *_right_on_dev(drawn),
        line_chart(rates, label="Learning rate", x_label="step", zero=True, wide=True),
    ]
    return join([el("div", *charts, cls="charts two"), more])


def _model_name(runs: Runs, run: Run) -> str:
    index = runs.parent(run)
    views = " + ".join(index.inputs.get("views", {})) if index else ""
    return f"{views or 'model'} ({run.name[:6]})"


def _right_on_dev(drawn: Mapping[str, Run]) -> list[Safe]:
    """A chart for the mean of the views, for each view, and for single tokens."""
    logged = {name for run in drawn.values() for name in run.curves}
    labels = {GENERATED: "Greedy identifiers right on dev, percent, mean over the views"}
    for name in sorted(name for name in logged if name.startswith(f"{GENERATED}/")):
        labels[name] = f"Greedy identifiers right on dev, percent: {name.rpartition('/')[2]}"
    labels[TOKENS] = "Tokens right on dev after right ones, percent"
    return [
        line_chart(
            [
                Series(name=model, points=run.curves.get(name, []), colour=i)
                for i, (model, run) in enumerate(drawn.items())
            ],
            label=label,
            x_label="step",
            percent=True,
            zero=True,
            wide=True,
        )
        for name, label in labels.items()
    ]


def _overview(runs: Runs, ranked: Sequence[Group]) -> Safe:
    """Dev figures of the best systems, one line each."""
    charts = []
    for metric in ("dev/mrr@10", "dev/hits@5"):
        series = [
            Series(
                name=group.apart or group.label,
                points=_mean([_trained(runs, run).get(metric, []) for run in group.runs]),
                colour=i,
            )
            for i, group in enumerate(ranked[:AT_ONCE])
        ]
        label = f"{metric.replace('dev/mrr', 'MRR').replace('dev/', '')} on dev, the best systems"
        charts.append(line_chart(series, label=label, x_label="step", percent=True, wide=True))
    return el("div", *charts, cls="charts two") if any(charts) else Safe("")


def _stage_two(found: Sequence[Mapping[str, Points]]) -> Safe | None:
    names = list(dict.fromkeys(name for curves in found for name in curves))
    parts = [n for n in names if n.startswith("train/") and n.partition("/")[2] not in COUNTERS]
    scale = [f"train/{name}" for name in SCALE if f"train/{name}" in names]
    losses = ["train/loss", *(n for n in parts if n not in scale and n != "train/loss")]
    dev = [name for name in DEV if name in names]
    charts = [
        *(
            line_chart(_seeds(found, [name], colour=i), label=_loss(name), x_label="step")
            for i, name in enumerate(losses)
            if name in names
        ),
        line_chart(_seeds(found, scale), label="Score scale of trained pairs", x_label="step"),
        line_chart(_seeds(found, dev), label="Dev metrics, percent", x_label="step", percent=True),
    ]
    drawn = [chart for chart in charts if chart]
    return el("div", *drawn, cls="charts") if drawn else None


def _loss(name: str) -> str:
    part = name.partition("/")[2]
    return "Loss, all components" if part == "loss" else f"Component: {part}"


def _seeds(
    found: Sequence[Mapping[str, Points]], names: Sequence[str], *, colour: int = 0
) -> list[Series]:
    series = []
    for i, name in enumerate(names):
        curves = [one[name] for one in found if name in one]
        words = name.partition("/")[2].replace("_", " ")
        dashed = name.endswith("one_key_score")
        if len(curves) > 1 and not dashed:
            series += [Series(name="", points=c, colour=colour + i, thin=True) for c in curves]
        series.append(Series(name=words, points=_mean(curves), colour=colour + i, dashed=dashed))
    return series


def _mean(curves: Sequence[Points]) -> Points:
    """Mean at the steps that every curve has; resumed or stopped seeds end early."""
    tables = [dict(curve) for curve in curves if curve]
    if not tables:
        return []
    steps = sorted(set.intersection(*(set(table) for table in tables)))
    return [(step, sum(table[step] for table in tables) / len(tables)) for step in steps]


def _smooth(points: Points, *, span: int = 9) -> Points:
    """Running mean over ``span`` logged values, thinned to what a chart can show."""
    half = span // 2
    values = [y for _, y in points]
    means = [
        (x, sum(near) / len(near))
        for i, (x, _) in enumerate(points)
        if (near := values[max(0, i - half) : i + half + 1])
    ]
    return means[:: max(1, len(means) // 160)]
