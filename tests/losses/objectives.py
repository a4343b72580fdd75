"""Two rank lists, and objectives over them."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from ltrgr.losses import Objective, Term, margin_loss, top_pair

CONF = Path(__file__).parents[2] / "conf"
SCORES = torch.tensor([[700.0, 900.0, 100.0], [50.0, 60.0, 70.0]], dtype=torch.float64)
RELEVANCE = torch.tensor([[1, 0, 0], [1, 1, 1]])
MASK = torch.ones(2, 3).bool()


def term(**changes) -> Term:
    settings = {"loss": partial(margin_loss, margin=500.0), "sampler": top_pair}
    return Term(**{**settings, **changes})


def total(
    objective: Objective,
    scores: torch.Tensor = SCORES,
    generation: float | None = 2.0,
    *,
    one_key_score: float = 400.0,
    progress: float = 0.0,
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """The loss of the two lists and its parts, one key being worth 400."""
    chosen = objective.select(scores, RELEVANCE, MASK, generator=torch.Generator().manual_seed(0))
    loss = None if generation is None else torch.tensor(generation, dtype=torch.float64)
    bound = objective.in_units_of(one_key_score)
    return bound(scores, RELEVANCE, chosen, loss, progress=progress)


def composed(name: str, *overrides: str) -> Objective:
    """The objective of ``loss=NAME``."""
    with initialize_config_dir(version_base=None, config_dir=str(CONF)):
        config = compose(overrides=[f"+loss={name}", *overrides])
    objective = instantiate(config.loss.objective)
    assert isinstance(objective, Objective)
    return objective
