"""Functions and classes that had another name before.

A config that has the old name is refused with the new one. Artefacts go on recording the old name,
because names are part of a fingerprint: what was made before the move is found again.
"""

from __future__ import annotations

from typing import Any

MOVED = {
    "ltrgr.losses.approx_ndcg.approx_ndcg": "ltrgr.losses.approx_ndcg",
    "ltrgr.losses.dpo.dpo": "ltrgr.losses.dpo",
    "ltrgr.losses.infonce.infonce": "ltrgr.losses.infonce",
    "ltrgr.losses.lambdaloss.lambdaloss": "ltrgr.losses.lambdaloss",
    "ltrgr.losses.lambdaloss.lambdarank": "ltrgr.losses.lambdarank",
    "ltrgr.losses.listmle.listmle": "ltrgr.losses.listmle",
    "ltrgr.losses.listmle.position_aware_listmle": "ltrgr.losses.position_aware_listmle",
    "ltrgr.losses.listnet.listnet": "ltrgr.losses.listnet",
    "ltrgr.losses.margin.margin": "ltrgr.losses.margin_loss",
    "ltrgr.losses.margin.relative_margin": "ltrgr.losses.relative_margin_loss",
    "ltrgr.losses.neural_ndcg.neural_ndcg": "ltrgr.losses.neural_ndcg",
    "ltrgr.losses.objective.Against": "ltrgr.losses.Against",
    "ltrgr.losses.objective.Term": "ltrgr.losses.Term",
    "ltrgr.losses.ranknet.ranknet": "ltrgr.losses.ranknet",
    "ltrgr.losses.samplers.everything": "ltrgr.losses.all_passages",
    "ltrgr.losses.samplers.hardest": "ltrgr.losses.hard_negatives",
    "ltrgr.losses.samplers.per_bin": "ltrgr.losses.stratified_negatives",
    "ltrgr.losses.samplers.random": "ltrgr.losses.random_pair",
    "ltrgr.losses.samplers.top": "ltrgr.losses.top_pair",
}
"""the path in a config before -> the path now"""

_FORMER = {new: old for old, new in MOVED.items()}


def recorded_name(value: Any) -> str:
    """The name of a function or class in artefacts, ``module:name``: its first one.

    >>> from ltrgr.losses import top_pair
    >>> recorded_name(top_pair)
    'ltrgr.losses.samplers:top'
    """
    module, name = str(value.__module__), value.__qualname__
    former = _FORMER.get(f"{module.rpartition('.')[0]}.{name}")
    return ":".join(former.rsplit(".", 1)) if former else f"{module}:{name}"


def short_name(recorded: str) -> str:
    """The name to show for one that an artefact records; another text as it is.

    >>> short_name("ltrgr.losses.samplers:top"), short_name("my_ideas:loss"), short_name("0.5")
    ('top_pair', 'loss', '0.5')
    """
    now = MOVED.get(recorded.replace(":", "."))
    return now.rpartition(".")[2] if now else recorded.rpartition(":")[2]
