"""Retrieval metrics during training: sums over questions, safe under distribution."""

from __future__ import annotations

import torch
from torch import Tensor
from torchmetrics import Metric

HITS = (1, 5, 20)
RECIPROCAL_CUTOFF = 10
RECALL_CUTOFF = 20
METRICS = (
    *(f"hits@{k}" for k in HITS),
    f"mrr@{RECIPROCAL_CUTOFF}",
    f"recall@{RECALL_CUTOFF}",
)
"""what `retrieval_values` computes"""


def retrieval_values(*, ranked_relevance: Tensor, n_relevant: Tensor) -> dict[str, Tensor]:
    """Per-question values of ranked lists.

    hits@k = 1 if any of the first k is relevant; mrr@10 = 1 / rank of the first relevant one
    within 10, else 0; recall@20 = relevant ones within 20 / ``n_relevant``, 0 without any.

    Shapes: ``ranked_relevance`` bool [B, k], best first, ``n_relevant`` int [B] (retrieved or
    not) -> name -> float [B]. A list shorter than a cut-off counts as if nothing relevant
    followed.
    """
    relevant = ranked_relevance.double()
    ranks = torch.arange(1, relevant.shape[1] + 1, device=relevant.device)
    values = {f"hits@{k}": relevant[:, :k].sum(dim=1).clamp(max=1.0) for k in HITS}
    inverse = (relevant / ranks)[:, :RECIPROCAL_CUTOFF]
    padded = torch.nn.functional.pad(inverse, (0, 1))  # amax has no answer for an empty list
    values[f"mrr@{RECIPROCAL_CUTOFF}"] = padded.amax(dim=1)
    found = relevant[:, :RECALL_CUTOFF].sum(dim=1)
    values[f"recall@{RECALL_CUTOFF}"] = found / n_relevant.clamp(min=1)
    return values


class OnlineRetrieval(Metric):
    """Running means of :func:`retrieval_values`.

    torchmetrics' own retrieval metrics read scores (wrong on negative ones), break ties by input
    order and cannot see relevant passages that were not retrieved; here ranks go in, with the
    number of relevant passages. Equal to ``metrics.evaluate_run`` on the same lists.

    Example:
        >>> metric = OnlineRetrieval()
        >>> metric.update(torch.tensor([[False, True]]), torch.tensor([1]))
        >>> metric.compute()["mrr@10"].item()
        0.5
    """

    full_state_update = False
    higher_is_better = True
    is_differentiable = False

    def __init__(self) -> None:
        super().__init__()
        self.names = tuple(
            retrieval_values(
                ranked_relevance=torch.zeros(1, 1).bool(), n_relevant=torch.zeros(1).long()
            )
        )
        self.add_state("sums", torch.zeros(len(self.names)).double(), dist_reduce_fx="sum")
        self.add_state("questions", torch.zeros((), dtype=torch.long), dist_reduce_fx="sum")

    def update(self, ranked_relevance: Tensor, n_relevant: Tensor) -> None:
        """Adds B questions: bool [B, k] best first, and int [B] relevant passages in all.

        Raises:
            ValueError: shapes do not fit, or a list holds more relevant passages than there are.
        """
        if ranked_relevance.ndim != 2 or n_relevant.shape != ranked_relevance.shape[:1]:
            raise ValueError(
                f"found shapes {tuple(ranked_relevance.shape)} and {tuple(n_relevant.shape)}, "
                "expected ranked_relevance [B, k] and n_relevant [B]"
            )
        if bool((ranked_relevance.bool().sum(dim=1) > n_relevant).any()):
            raise ValueError(
                "found more relevant passages in a list than n_relevant says there are, expected "
                "at most that many; a passage was listed twice or the qrels were filtered"
            )
        values = retrieval_values(ranked_relevance=ranked_relevance, n_relevant=n_relevant)
        self.sums += torch.stack([values[name] for name in self.names]).sum(dim=1)
        self.questions += len(n_relevant)

    def compute(self) -> dict[str, Tensor]:
        """name -> [] mean over all questions so far; nan before the first."""
        means = self.sums / self.questions
        return dict(zip(self.names, means.float().unbind(), strict=True))
