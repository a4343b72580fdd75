"""The reported metrics by hand, and the online ones pinned to them."""

from __future__ import annotations

from math import log2

import ir_measures
import numpy as np
import pytest
import torch
from ir_measures import RR, Success

from ltrgr.evaluation.metrics import MEASURES, evaluate_run
from ltrgr.evaluation.online import OnlineRetrieval

QRELS = {
    "b": {"p1": 1, "p2": 2, "p3": 0},
    "a": {"p9": 1},
    "lost": {"p1": 1},
    "hopeless": {"p1": 0},
}
# Negative and equal scores: the order of the list is what counts.
RUN = {
    "a": [("p1", -5.0), ("p2", -5.0), ("p9", -5.0)],
    "b": [("p3", -1.0), ("p2", -1.5), ("x", -2.0), ("p1", -3.0)],
    "hopeless": [("p1", 1.0)],
    "unjudged": [("p1", 1.0)],
}


def test_by_hand() -> None:
    result = evaluate_run(RUN, QRELS, measures=["hits@1", "hits@3", "mrr@10", "mrr@2", "recall@3"])
    assert result.query_ids == ("a", "b", "hopeless", "lost")
    assert result.values["hits@1"].tolist() == [0, 0, 0, 0]
    assert result.values["hits@3"].tolist() == [1, 1, 0, 0]
    assert result.values["mrr@10"] == pytest.approx([1 / 3, 1 / 2, 0, 0])
    assert result.values["mrr@2"] == pytest.approx([0, 1 / 2, 0, 0])
    assert result.values["recall@3"] == pytest.approx([1, 1 / 2, 0, 0])
    assert result.means()["mrr@10"] == pytest.approx((1 / 3 + 1 / 2) / 4)


def test_ndcg_by_hand() -> None:
    values = evaluate_run(RUN, QRELS, measures=["ndcg@10"]).values["ndcg@10"]
    gained, ideal = 2 / log2(3) + 1 / log2(5), 2 / log2(2) + 1 / log2(3)
    assert values == pytest.approx([1 / log2(4), gained / ideal, 0, 0])


def test_the_default_measures_and_an_empty_run() -> None:
    result = evaluate_run({}, QRELS)
    assert tuple(result.values) == MEASURES
    assert result.means() == dict.fromkeys(MEASURES, 0.0)
    assert np.isnan(evaluate_run(RUN, {}).means()["hits@5"])


@pytest.mark.parametrize("name", ["hits", "hits@", "hits@0", "map@10", "hits@-5"])
def test_unknown_measures(name) -> None:
    with pytest.raises(ValueError, match=f"measure '{name}', expected one of"):
        evaluate_run(RUN, QRELS, measures=[name])


def test_a_passage_listed_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="more than once for query 'a'"):
        evaluate_run({"a": [("p1", 2.0), ("p1", 1.0)]}, QRELS)


def random_lists(questions: int, depth: int):
    """Lists with several, one or no relevant passage, some of which are never retrieved."""
    rng = np.random.default_rng(depth)
    relevant = rng.random((questions, depth)) < rng.choice([0.0, 0.02, 0.3], (questions, 1))
    missed = rng.integers(0, 3, questions)
    qrels = {
        f"q{i}": {f"p{j}": 1 for j in np.flatnonzero(row)} | {f"m{j}": 1 for j in range(missed[i])}
        for i, row in enumerate(relevant)
    }
    qrels = {query: grades or {"none": 0} for query, grades in qrels.items()}
    run = {f"q{i}": [(f"p{j}", -1.0 - j) for j in range(depth)] for i in range(questions)}
    return relevant, relevant.sum(1) + missed, run, qrels


@pytest.mark.parametrize("depth", [1, 7, 40])
def test_online_equals_reported(depth) -> None:
    relevant, n_relevant, run, qrels = random_lists(90, depth)
    metric = OnlineRetrieval()
    for rows in np.split(np.arange(90), [11, 64]):
        metric.update(torch.from_numpy(relevant[rows]), torch.from_numpy(n_relevant[rows]))
    online = {name: value.item() for name, value in metric.compute().items()}
    assert set(online) == {"hits@1", "hits@5", "hits@20", "mrr@10", "recall@20"}
    assert online == pytest.approx(evaluate_run(run, qrels, measures=list(online)).means())
    assert 0 < online["mrr@10"] < 1


def test_reported_equals_ir_measures_called_directly() -> None:
    _, _, run, qrels = random_lists(30, 40)
    plain = {q: dict(ranked) for q, ranked in run.items()}
    direct = ir_measures.calc_aggregate([Success @ 5, RR @ 10], qrels, plain)
    means = evaluate_run(run, qrels, measures=["hits@5", "mrr@10"]).means()
    assert means["hits@5"] == pytest.approx(direct[Success @ 5])
    assert means["mrr@10"] == pytest.approx(direct[RR @ 10])


def test_online_by_hand_and_reset() -> None:
    metric = OnlineRetrieval()
    metric.update(torch.tensor([[False, True, True], [False] * 3]), torch.tensor([4, 0]))
    values = {name: value.item() for name, value in metric.compute().items()}
    expected = {
        "hits@1": 0,
        "hits@5": 1 / 2,
        "hits@20": 1 / 2,
        "mrr@10": (1 / 2) / 2,
        "recall@20": (2 / 4) / 2,
    }
    assert values == pytest.approx(expected)
    metric.reset()
    metric.update(torch.tensor([[True]]), torch.tensor([1]))
    assert metric.compute()["hits@1"].item() == 1.0


def test_online_refuses_impossible_lists() -> None:
    with pytest.raises(ValueError, match="more relevant passages in a list"):
        OnlineRetrieval().update(torch.tensor([[True, True]]), torch.tensor([1]))
    with pytest.raises(ValueError, match=r"shapes \(2,\) and \(1,\)"):
        OnlineRetrieval().update(torch.tensor([True, True]), torch.tensor([1]))
