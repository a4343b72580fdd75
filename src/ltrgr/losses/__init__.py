"""Rank losses, samplers and the stage-2 objective: tensors in, tensors out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ltrgr.lazy import lazy_names

if TYPE_CHECKING:
    from ltrgr.losses.against import Against
    from ltrgr.losses.bound_objective import BoundObjective
    from ltrgr.losses.distillation import distilled_ranknet, margin_mse
    from ltrgr.losses.hinge import margin_loss, relative_margin_loss
    from ltrgr.losses.lambda_losses import lambdaloss, lambdarank
    from ltrgr.losses.objective import Objective
    from ltrgr.losses.pairwise_logistic import dpo, ranknet
    from ltrgr.losses.plackett_luce import listmle, position_aware_listmle
    from ltrgr.losses.samplers import (
        Sampler,
        all_passages,
        hard_negatives,
        random_pair,
        stratified_negatives,
        top_pair,
    )
    from ltrgr.losses.smooth_ndcg import approx_ndcg, neural_ndcg
    from ltrgr.losses.softmax import infonce, listnet
    from ltrgr.losses.term import Term

__all__ = [
    "Against",
    "BoundObjective",
    "Objective",
    "Sampler",
    "Term",
    "all_passages",
    "approx_ndcg",
    "distilled_ranknet",
    "dpo",
    "hard_negatives",
    "infonce",
    "lambdaloss",
    "lambdarank",
    "listmle",
    "listnet",
    "margin_loss",
    "margin_mse",
    "neural_ndcg",
    "position_aware_listmle",
    "random_pair",
    "ranknet",
    "relative_margin_loss",
    "stratified_negatives",
    "top_pair",
]

__getattr__ = lazy_names(
    __name__,
    {
        "Against": "ltrgr.losses.against",
        "BoundObjective": "ltrgr.losses.bound_objective",
        "Objective": "ltrgr.losses.objective",
        "Sampler": "ltrgr.losses.samplers",
        "Term": "ltrgr.losses.term",
        "all_passages": "ltrgr.losses.samplers",
        "approx_ndcg": "ltrgr.losses.smooth_ndcg",
        "distilled_ranknet": "ltrgr.losses.distillation",
        "dpo": "ltrgr.losses.pairwise_logistic",
        "hard_negatives": "ltrgr.losses.samplers",
        "infonce": "ltrgr.losses.softmax",
        "lambdaloss": "ltrgr.losses.lambda_losses",
        "lambdarank": "ltrgr.losses.lambda_losses",
        "listmle": "ltrgr.losses.plackett_luce",
        "listnet": "ltrgr.losses.softmax",
        "margin_loss": "ltrgr.losses.hinge",
        "margin_mse": "ltrgr.losses.distillation",
        "neural_ndcg": "ltrgr.losses.smooth_ndcg",
        "position_aware_listmle": "ltrgr.losses.plackett_luce",
        "random_pair": "ltrgr.losses.samplers",
        "ranknet": "ltrgr.losses.pairwise_logistic",
        "relative_margin_loss": "ltrgr.losses.hinge",
        "stratified_negatives": "ltrgr.losses.samplers",
        "top_pair": "ltrgr.losses.samplers",
    },
)
