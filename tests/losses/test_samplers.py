"""Samplers choose the right passages, reproducibly, from under the mask."""

from __future__ import annotations

import pytest
import torch
from objectives import composed

from ltrgr.losses import all_passages, hard_negatives, random_pair, stratified_negatives, top_pair

SCORES = torch.tensor([[1.0, 9.0, 5.0, 5.0, 7.0, 8.0], [2.0, 2.0, 2.0, 2.0, 2.0, 2.0]])
RELEVANCE = torch.tensor([[0, 0, 1, 3, 0, 0], [0, 0, 1, 1, 0, 0]])
MASK = torch.tensor([[True, False, True, True, True, True], [True] * 6])


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def positions(chosen: torch.Tensor) -> list[list[int]]:
    return [row.nonzero().flatten().tolist() for row in chosen]


def test_top_pair_takes_the_best_of_each_kind_and_the_first_of_equals() -> None:
    # 9.0 is masked out; among equals 5.0 and 5.0 the earlier passage wins
    assert positions(top_pair(SCORES, RELEVANCE, MASK, generator=generator())) == [[2, 5], [0, 2]]


def test_hard_negatives_takes_k_negatives_or_as_many_as_there_are() -> None:
    two = hard_negatives(SCORES, RELEVANCE, MASK, generator=generator(), negatives=2)
    assert positions(two) == [[2, 4, 5], [0, 1, 2]]
    many = hard_negatives(SCORES, RELEVANCE, MASK, generator=generator(), negatives=50)
    assert positions(many) == [[0, 2, 4, 5], [0, 1, 2, 4, 5]]
    with pytest.raises(ValueError, match=r"hard_negatives: found negatives=0, expected a whole"):
        hard_negatives(SCORES, RELEVANCE, MASK, generator=generator(), negatives=0)


def test_all_passages_is_the_mask() -> None:
    assert torch.equal(all_passages(SCORES, RELEVANCE, MASK, generator=generator()), MASK)


def test_infinite_and_masked_nan_scores() -> None:
    scores = torch.tensor([[float("-inf"), float("nan"), float("-inf"), float("nan")]])
    mask = torch.tensor([[True, False, True, False]])
    chosen = top_pair(scores, torch.tensor([[1, 1, 0, 0]]), mask, generator=generator())
    assert positions(chosen) == [[0, 2]]


@pytest.mark.parametrize("sampler", [top_pair, random_pair])
def test_a_missing_kind_leaves_the_other(sampler) -> None:
    scores, mask = torch.tensor([[1.0, 2.0]]), torch.tensor([[True, False]])
    chosen = sampler(scores, torch.tensor([[1, 0]]), mask, generator=generator())
    assert positions(chosen) == [[0]]


def test_random_pair_repeats_with_the_seed_and_only_with_it() -> None:
    def draws(seed: int) -> torch.Tensor:
        source = generator(seed)
        return torch.stack(
            [random_pair(SCORES, RELEVANCE, MASK, generator=source) for _ in range(20)]
        )

    assert torch.equal(draws(3), draws(3))
    assert not torch.equal(draws(3), draws(4))


def test_random_pair_is_uniform_over_each_kind() -> None:
    draws = 3000
    scores, relevance = SCORES[:1].expand(draws, 6), RELEVANCE[:1].expand(draws, 6)
    chosen = random_pair(scores, relevance, MASK[:1].expand(draws, 6), generator=generator())
    assert (chosen.sum(dim=1) == 2).all()
    share = chosen.double().mean(dim=0).tolist()
    # 2 positives (5.0, 5.0), 3 negatives in the mask; 5 standard deviations are below 0.05
    assert share == pytest.approx([1 / 3, 0, 1 / 2, 1 / 2, 1 / 3, 1 / 3], abs=0.05)
    assert share[1] == 0


def test_stratified_negatives_takes_one_negative_of_each_bin_of_ranks_and_the_best_positive() -> (
    None
):
    # 7 negatives by falling score: positions 8 7 6 | 5 3 | 2 0, in three bins
    scores = torch.arange(10, dtype=torch.float32).expand(2000, 10)
    relevance = torch.tensor([0, 1, 0, 0, 1, 0, 0, 0, 0, 0]).expand(2000, 10)
    mask = (torch.arange(10) < 9).expand(2000, 10)
    chosen = stratified_negatives(scores, relevance, mask, generator=generator(), bins=3)
    for members in ([8, 7, 6], [5, 3], [2, 0]):
        assert (chosen[:, members].sum(dim=1) == 1).all()
    share = chosen.double().mean(dim=0).tolist()
    expected = [1 / 2, 0, 1 / 2, 1 / 2, 1, 1 / 2, 1 / 3, 1 / 3, 1 / 3, 0]
    # 5 standard deviations are below 0.06
    assert share == pytest.approx(expected, abs=0.06)


def test_stratified_negatives_with_few_negatives_takes_all_and_one_bin_is_one_negative() -> None:
    scores, relevance = SCORES.clone(), RELEVANCE
    scores[0, 4] = float("-inf")
    all_of_them = stratified_negatives(scores, relevance, MASK, generator=generator(), bins=9)
    assert positions(all_of_them) == [[0, 2, 4, 5], [0, 1, 2, 4, 5]]
    assert (
        stratified_negatives(SCORES, relevance, MASK, generator=generator(), bins=1).sum().item()
        == 4
    )
    with pytest.raises(ValueError, match=r"bins=0, expected a whole number, 1 or more"):
        stratified_negatives(SCORES, relevance, MASK, generator=generator(), bins=0)


def test_stratified_negatives_repeats_with_the_seed() -> None:
    def draws(seed: int) -> torch.Tensor:
        scores, relevance, mask = (x[:1].expand(50, 6) for x in (SCORES, RELEVANCE, MASK))
        return stratified_negatives(scores, relevance, mask, generator=generator(seed), bins=2)

    assert torch.equal(draws(3), draws(3))
    assert not torch.equal(draws(3), draws(4))


def test_per_bin_config() -> None:
    objective = composed("margin_per_bin", "loss.bins=2")
    chosen = objective.select(SCORES, RELEVANCE, MASK, generator=generator())["pairwise"]
    assert (chosen & (RELEVANCE == 0)).sum(dim=1).tolist() == [2, 2]
    assert (chosen & (RELEVANCE > 0)).int().tolist() == [[0, 0, 1, 0, 0, 0], [0, 0, 1, 0, 0, 0]]
