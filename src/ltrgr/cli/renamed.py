"""Settings, and what they name, that had another name before: an error gives the new one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Any

from ltrgr.moved import MOVED

RENAMED = {
    "optimised": "optimized_metric",
    "decoding.beams": "num_beams",
    "decoding.longest_question": "max_question_length",
    "evaluation.beams": "num_beams",
    "evaluation.scoring.cover": "coverage",
    "evaluation.scoring.rare": "max_candidate_count",
    "scoring.cover": "coverage",
    "scoring.rare": "max_candidate_count",
    "identifiers.views.*.steps": "max_new_tokens",
    "identifiers.views.*.draws": "sampling_weight",
    "model.backbone.network.longest": "max_positions",
    "pretrain.cross_attention_rate": "cross_attention_learning_rate",
    "pretrain.targets.longest_question": "max_question_length",
    "pretrain.targets.longest_target": "max_target_length",
    "*.learning_rate": "optimizer.lr",
    "*.warm_up": "scheduler.warmup_ratio",
    "*.weight_decay": "optimizer.weight_decay",
    "*.clip": "gradient_clip_val",
    "*.validate_every": "val_check_interval",
    "rank.mine_again_every": "remine_every",
    "rank.mine_again_questions": "remine_questions",
    "rank.learned": "learnable_parameters",
    "rank.scorer_learning_rate": "scoring_learning_rate",
}
"""pattern of an old dotted key -> what replaces its last part"""


def new_name(key: str, known: Iterable[str]) -> str | None:
    """The key of ``known`` that ``key`` is called now; None if it was never a key.

    >>> new_name("rank.warm_up", ["rank.scheduler.warmup_ratio"])
    'rank.scheduler.warmup_ratio'
    >>> new_name("table.clip", ["rank.gradient_clip_val"]) is None
    True
    """
    section, dot, _ = key.rpartition(".")
    known = set(known)
    for old, new in RENAMED.items():
        name = f"{section}{dot}{new}"
        if fnmatchcase(key, old) and (name in known or not old.startswith("*")):
            return name
    return None


def moved_names(node: Any, key: str = "") -> Iterator[tuple[str, str, str]]:
    """The old names of functions and classes in a plain config: (dotted key, old name, new name).

    >>> list(moved_names({"a": [{"_target_": "ltrgr.losses.samplers.top"}]}))
    [('a.0._target_', 'ltrgr.losses.samplers.top', 'ltrgr.losses.top_pair')]
    """
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for name, value in items:
        place = f"{key}.{name}" if key else str(name)
        if isinstance(value, dict | list):
            yield from moved_names(value, place)
        elif value in MOVED:
            yield place, value, MOVED[value]
