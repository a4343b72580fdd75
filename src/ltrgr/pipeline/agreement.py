"""Settings that contradict each other, found before any work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ltrgr.evaluation.online import METRICS
from ltrgr.identifiers.views import Family
from ltrgr.models.positions import position_limit
from ltrgr.pipeline.index_stage import docid_view
from ltrgr.retrieval.teachers import TEACHERS
from ltrgr.training.identifier_pretraining import IDENTIFIERS, dev_names
from ltrgr.training.learnable_scoring import LearnableScoring
from ltrgr.typed import SettingsError

if TYPE_CHECKING:
    from ltrgr.pipeline.pipeline import Pipeline

FRAME = 3
"""tokens that a prompt may have besides the question: its marker, and one on each side"""


def disagreements(pipeline: Pipeline) -> list[str]:
    """One line for each pair of settings that cannot go together."""
    return [
        *_index(pipeline),
        *_scoring(pipeline),
        *_monitors(pipeline),
        *_teachers(pipeline),
        *_network(pipeline.backbone.network),
        *_positions(pipeline),
        *_device(pipeline),
    ]


def searched_views(family: Family) -> list[str]:
    """The names of the views that search generates."""
    return [name for name, view in family.views.items() if view.searched]


def _index(pipeline: Pipeline) -> Iterator[str]:
    if pipeline.indexing.kind == "trie":
        try:
            docid_view(pipeline.family)
        except SettingsError as error:
            yield str(error)


def _scoring(pipeline: Pipeline) -> Iterator[str]:
    """The views that the scoring names, and whether what is learned starts inside its range."""
    views = pipeline.family.names
    other = pipeline.evaluation.scoring
    for scoring in (pipeline.scoring, *([] if other is None else [other])):
        try:
            scoring.of_views(views)
        except ValueError as error:
            yield str(error)
            return
    try:
        LearnableScoring(
            pipeline.scoring,
            views=views,
            learnable_parameters=pipeline.ranking.learnable_parameters,
        )
    except ValueError as error:
        yield str(error)


def _monitors(pipeline: Pipeline) -> Iterator[str]:
    names = [IDENTIFIERS, *dev_names(searched_views(pipeline.family))]
    for key, monitor, logged in (
        ("pretrain.monitor", pipeline.pretraining.monitor, names),
        ("rank.monitor", pipeline.ranking.monitor, METRICS),
    ):
        known = [f"dev/{name}" for name in logged]
        if monitor not in known:
            yield f"{key}={monitor!r}: expected one of {', '.join(known)}"


def _teachers(pipeline: Pipeline) -> Iterator[str]:
    for name in sorted(pipeline.ranking.objective.compares_with - set(TEACHERS)):
        yield f"loss.teacher={name!r}: expected one of {', '.join(TEACHERS)}"


def _network(network: Any) -> Iterator[str]:
    given: Mapping[str, Any] = getattr(network, "keywords", {})
    width, heads = given.get("width"), given.get("heads")
    if width and heads and width % heads:
        where = "model.backbone.network"
        yield f"{where}.heads={heads}: expected a divisor of {where}.width={width}"


def _positions(pipeline: Pipeline) -> Iterator[str]:
    """Every prompt and every identifier fits into the positions of the model (C2)."""
    limit = position_limit(pipeline.backbone.network)
    if limit is None:
        return
    targets = pipeline.pretraining.targets
    lengths = {
        "decoding.max_question_length": (pipeline.decoding.max_question_length, FRAME),
        "pretrain.targets.max_question_length": (targets.max_question_length, FRAME),
        "pretrain.targets.max_target_length": (targets.max_target_length, 1),
    }
    for name in searched_views(pipeline.family):
        key = f"identifiers.views.{name}.max_new_tokens"
        lengths[key] = (pipeline.family.views[name].max_new_tokens, 1)
    for key, (length, more) in lengths.items():
        if length + more > limit:
            yield (
                f"{key}={length}: the model has {limit} positions, and special tokens take up to "
                f"{more}; expected at most {limit - more}, or a model with more positions"
            )


def _device(pipeline: Pipeline) -> Iterator[str]:
    try:
        device = pipeline.compute.device
    except SettingsError as error:
        yield str(error)
        return
    for stage in (pipeline.pretraining, pipeline.ranking):
        key = "pretrain" if stage is pipeline.pretraining else "rank"
        if device == "cpu" and stage.precision.startswith("16-"):
            yield (
                f"{key}.precision={stage.precision}: needs a GPU; expected bf16-mixed or 32-true "
                "on a CPU"
            )
