"""Law 1 in docs/method.md: the differentiable score of a rank list equals its search score."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small_world import build, make_keys

from ltrgr.scoring.differentiable import passage_scores
from ltrgr.scoring.scoring_settings import ScoringSettings
from ltrgr.scoring.search.passages import score_passages
from ltrgr.scoring.weights import key_weights

V = 30


@pytest.mark.parametrize(
    "scoring",
    [
        ScoringSettings(),
        ScoringSettings(exponent=1.0, coverage=0.0, frequency=False, overlap=True),
        ScoringSettings(frequency=False, keys_per_passage=3),
        ScoringSettings(keys_per_passage=None, max_candidate_count=5),
    ],
    ids=["lm_fm", "plain_sum", "lm_only", "all_keys"],
)
@pytest.mark.parametrize(("dtype", "bound"), [(torch.float64, 1e-6), (torch.float32, 1e-5)])
def test_same_scores(scoring, dtype, bound):
    rng = np.random.default_rng(7)
    passages = [[1, *rng.integers(2, V, rng.integers(10, 40)), 0] for _ in range(60)]
    index = build(passages, V)
    questions = []
    for _ in range(6):
        picked = [passages[i] for i in rng.integers(0, 60, 20)]
        keys = {tuple(p[a : a + m]) for p in picked for a, m in rng.integers(1, 8, (4, 2))}
        questions.append([list(map(int, key)) for key in sorted(keys)])
    keys = make_keys(questions, index)
    log_p = -rng.exponential(2.0, len(keys.lo)).astype(np.float32)
    view_weight = rng.uniform(0.5, 2.0, len(log_p))
    view_offset = rng.uniform(0.0, 5.0, len(log_p))
    weights = key_weights(
        log_p,
        keys.count,
        n_tokens=index.n_tokens,
        view_weight=view_weight,
        view_offset=view_offset,
        settings=scoring,
    )
    marker = np.arange(V) < 2
    lists = score_passages(keys, weights, index, settings=scoring, marker=marker, k=25)
    assert lists.mask.sum() > 60
    scores = passage_scores(
        torch.tensor(log_p, dtype=dtype),
        torch.tensor(keys.count),
        torch.tensor(view_weight, dtype=dtype),
        torch.tensor(view_offset, dtype=dtype),
        torch.tensor(lists.members(keys.question_offsets)),
        torch.tensor(lists.coverage),
        n_tokens=index.n_tokens,
        settings=scoring,
    ).double()
    found, got = lists.score[lists.mask], scores.numpy()[lists.mask]
    assert (np.abs(got - found) / found).max() <= bound  # covers travel as float32
    assert (scores.numpy()[~lists.mask] == 0).all()


def test_padding_adds_nothing_and_passes_no_gradient():
    log_p = torch.tensor([-0.5, -1.0, -0.2], dtype=torch.float64, requires_grad=True)
    key_index = torch.tensor([[[1, -1], [-1, -1]], [[1, 0], [0, -1]]])
    coverage = torch.tensor([[[0.5, 9.0], [9.0, 9.0]], [[1.0, 0.2], [1.0, 9.0]]])
    count = torch.tensor([4, 2, 1])
    scoring = ScoringSettings()
    scores = passage_scores(
        log_p, count, 1.0, 0.0, key_index, coverage, n_tokens=1000, settings=scoring
    )
    w = key_weights(log_p.detach().numpy(), count.numpy(), n_tokens=1000, settings=scoring)
    wanted = [[0.5 * w[1], 0.0], [w[1] + 0.2 * w[0], w[0]]]
    np.testing.assert_allclose(scores.detach().numpy(), wanted, rtol=1e-7)
    (gradient,) = torch.autograd.grad(scores[0].sum(), log_p, retain_graph=True)
    assert gradient[0] == 0
    assert gradient[1] > 0
    (gradient,) = torch.autograd.grad(scores.sum(), log_p)
    assert gradient[2] == 0  # the last key stands next to the padding, in no list


def test_no_keys_at_all():
    scores = passage_scores(
        torch.zeros(0, requires_grad=True),
        torch.zeros(0, dtype=torch.int64),
        1.0,
        0.0,
        torch.full((1, 2, 3), -1),
        torch.zeros(1, 2, 3),
        n_tokens=10,
        settings=ScoringSettings(),
    )
    assert scores.tolist() == [[0.0, 0.0]]


def test_passage_scores_gradcheck():
    log_p = torch.tensor([-0.5, -1.0, -0.2], dtype=torch.float64, requires_grad=True)
    key_index = torch.tensor([[[0, 1, 2], [2, -1, -1]]])
    coverage = torch.tensor([[[1.0, 0.2, 0.6], [1.0, 0.0, 0.0]]], dtype=torch.float64)

    def score(values: torch.Tensor) -> torch.Tensor:
        return passage_scores(
            values,
            torch.tensor([4, 2, 1]),
            1.0,
            0.0,
            key_index,
            coverage,
            n_tokens=1000,
            settings=ScoringSettings(),
        )

    assert torch.autograd.gradcheck(score, (log_p,))
