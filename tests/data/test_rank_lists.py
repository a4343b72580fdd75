"""Stage-2 batches hold what was mined, and nothing is scored twice."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from ltrgr.corpus.records import Corpus
from ltrgr.data.identifier_datamodule import IdentifierDataModule
from ltrgr.data.order import TrainingDataError
from ltrgr.data.rank_list_batch import RankListBatch
from ltrgr.data.rank_list_datamodule import RankListDataModule
from ltrgr.data.rank_list_sampler import RankListSampler
from ltrgr.losses import Objective, Term, all_passages, margin_loss, random_pair, top_pair
from ltrgr.retrieval.mined import MinedLists
from ltrgr.retrieval.retriever import Retriever
from mined_lists import mine_some, sampler_over

PAIR = Objective(
    terms={
        "top": Term(loss=margin_loss, sampler=top_pair),
        "random": Term(loss=margin_loss, sampler=random_pair),
    },
    lambda_generation=1.0,
)
ALL = Objective(terms={"all": Term(loss=margin_loss, sampler=all_passages)}, lambda_generation=1.0)


@pytest.fixture
def mined(retriever: Retriever, corpus: Corpus) -> MinedLists:
    return mine_some(retriever, corpus, questions=24, k=12)


@pytest.fixture
def sampler(
    mined: MinedLists, retriever: Retriever, corpus: Corpus, minder_index: Path
) -> RankListSampler:
    return sampler_over(mined, retriever, corpus, select=PAIR.select, index=minder_index, each=3)


def key_of(mined: MinedLists, number: int) -> tuple[int, ...]:
    keys = mined.keys
    return tuple(keys.tokens[keys.token_offsets[number] : keys.token_offsets[number + 1]].tolist())


def decoded(
    mined: MinedLists, number: int, retriever: Retriever
) -> tuple[int, int, tuple[int, ...]]:
    """(question, view, decoded tokens) of a mined key."""
    view = int(mined.keys.view[number])
    name = retriever.vocabulary.family.names[view]
    skipped = 0 if retriever.vocabulary.family.views[name].begin is None else 1
    return int(mined.keys.question[number]), view, key_of(mined, number)[skipped:]


@pytest.mark.parametrize("objective", [PAIR, ALL], ids=["pair", "all"])
def test_a_batch_holds_what_was_mined(
    objective: Objective, mined: MinedLists, retriever: Retriever, corpus: Corpus,
    minder_index: Path,
) -> None:  # fmt: skip
    sampler = sampler_over(
        mined, retriever, corpus, select=objective.select, index=minder_index, each=0
    )
    rows = np.flatnonzero(mined.has_both_labels)[[3, 0, 5, 1]]
    batch = sampler.batch(rows, np.random.default_rng(0))
    seen = torch.stack(list(batch.chosen.values())).any(0)
    assert seen.any(1).all()
    for b, row in enumerate(rows):
        listed = mined.score[row].tolist()
        for p in torch.nonzero(seen[b]).flatten().tolist():
            place = listed.index(float(batch.mined_score[b, p]))
            ties = [i for i, score in enumerate(listed) if score == listed[place]]
            expected = [members(mined, row, i) for i in ties]
            found = [
                (*sequence_of(batch, int(n)), float(coverage))
                for n, coverage in zip(batch.key_index[b, p], batch.coverage[b, p], strict=True)
                if n >= 0
            ]
            matches = [
                i
                for i, keys in zip(ties, expected, strict=True)
                if [(decoded(mined, k, retriever)[2], c) for k, c in keys] == found
            ]
            assert matches
            assert any(
                bool(mined.relevance[row, i]) == bool(batch.relevance[b, p]) for i in matches
            )


def members(mined: MinedLists, row: int, place: int) -> list[tuple[int, float]]:
    first = mined.keys.question_offsets[row]
    return [
        (int(first + key), float(coverage))
        for key, coverage in zip(
            mined.key_index[row, place], mined.coverage[row, place], strict=True
        )
        if key >= 0
    ]


def sequence_of(batch: RankListBatch, key: int) -> tuple[tuple[int, ...]]:
    labels = batch.labels[batch.key_sequence[key], : batch.key_length[key]]
    return (tuple(labels.tolist()),)


def test_everything_keeps_places_counts_and_masks(
    mined: MinedLists, retriever: Retriever, corpus: Corpus, minder_index: Path
) -> None:
    sampler = sampler_over(mined, retriever, corpus, select=ALL.select, index=minder_index, each=0)
    rows = np.flatnonzero(mined.has_both_labels)[:5]
    batch = sampler.batch(rows, np.random.default_rng(0))
    np.testing.assert_array_equal(batch.chosen["all"], mined.mask[rows])
    np.testing.assert_array_equal(batch.relevance, mined.relevance[rows])
    np.testing.assert_array_equal(batch.mined_score, mined.score[rows])
    np.testing.assert_array_equal(batch.coverage, mined.coverage[rows])
    np.testing.assert_array_equal(batch.key_index >= 0, mined.key_index[rows] >= 0)
    first = mined.keys.question_offsets[rows][:, None, None]
    old = (first + mined.key_index[rows])[mined.key_index[rows] >= 0]
    new = batch.key_index[batch.key_index >= 0].numpy()
    np.testing.assert_array_equal(batch.key_count.numpy()[new], mined.keys.count[old])
    np.testing.assert_array_equal(batch.key_view.numpy()[new], mined.keys.view[old])
    assert batch.generation is None


def test_no_sequence_and_no_prompt_twice(
    mined: MinedLists, sampler: RankListSampler, retriever: Retriever, corpus: Corpus
) -> None:
    rows = np.flatnonzero(mined.has_both_labels)[:6]
    batch = sampler.batch(rows, np.random.default_rng(2))
    used = set()
    for b, row in enumerate(rows):
        listed = mined.score[row].tolist()
        for p in range(batch.key_index.shape[1]):
            if (batch.key_index[b, p] >= 0).any():
                place = listed.index(float(batch.mined_score[b, p]))
                used |= {decoded(mined, k, retriever) for k, _ in members(mined, row, place)}
    maximal = {
        (q, v, t)
        for q, v, t in used
        if not any((q, v) == (r, w) and len(u) > len(t) and u[: len(t)] == t for r, w, u in used)
    }
    assert len(batch.labels) == len(maximal) < len(batch.key_sequence) == len(used)
    assert len(batch.prompt_ids) == len({(q, v) for q, v, _ in used})
    vocabulary = retriever.vocabulary
    prompts = set()
    for question, view, _ in used:
        (ids,) = vocabulary.encode([corpus.train.queries[question].text])
        prompts.add(tuple(vocabulary.prompt(ids, vocabulary.family.names[view], longest=64)))
    found = {
        tuple(ids[mask.bool()].tolist())
        for ids, mask in zip(batch.prompt_ids, batch.prompt_mask, strict=True)
    }
    assert found == prompts


def test_few_chosen_passages_make_a_narrow_batch(
    mined: MinedLists, sampler: RankListSampler
) -> None:
    batch = sampler.batch(np.flatnonzero(mined.has_both_labels)[:4], np.random.default_rng(0))
    assert 2 <= batch.key_index.shape[1] <= 4  # of 12: a top and a random pair
    unseen = ~torch.stack(list(batch.chosen.values())).any(0)
    assert (batch.key_index[unseen] == -1).all()


def test_targets_are_drawn_for_the_batch_s_questions(
    mined: MinedLists, sampler: RankListSampler
) -> None:
    batch = sampler.batch(np.flatnonzero(mined.has_both_labels)[:4], np.random.default_rng(0))
    assert batch.generation is not None
    assert len(batch.generation.labels) == 4 * 3


def stream(data: Any, step: int, n: int) -> list[Any]:
    data.trainer = SimpleNamespace(global_step=step)
    return list(islice(iter(data.train_dataloader()), n))


def same(first: RankListBatch, second: RankListBatch) -> bool:
    names = ("labels", "prompt_ids", "key_index", "mined_score")
    return all(
        getattr(first, n).shape == getattr(second, n).shape
        and getattr(first, n).equal(getattr(second, n))
        for n in names
    ) and first.generation.labels.equal(second.generation.labels)  # type: ignore[union-attr]


def test_rank_lists_go_on_where_they_were(sampler: RankListSampler) -> None:
    """Over the end of an epoch, too."""
    data = RankListDataModule(sampler=sampler, batch_size=4, dev=torch.arange(3), seed=1)
    per_epoch = int(sampler.mined.has_both_labels.sum()) // 4
    n = per_epoch + 3
    whole = stream(data, 0, n)
    for step in (1, per_epoch - 1, per_epoch + 1):
        rest = stream(data, step, n - step)
        assert all(same(a, b) for a, b in zip(whole[step:], rest, strict=True))
    assert not same(whole[0], whole[1])
    other = RankListDataModule(sampler=sampler, batch_size=4, dev=torch.arange(3), seed=2)
    assert not same(whole[0], stream(other, 0, 1)[0])


def test_an_epoch_holds_every_list_once(sampler: RankListSampler) -> None:
    rows: list[int] = []
    real = sampler.batch

    def spy(chosen: Any, generator: np.random.Generator) -> RankListBatch:
        rows.extend(chosen.tolist())
        return real(chosen, generator)

    sampler.batch = spy  # type: ignore[method-assign]
    has_both_labels = np.flatnonzero(sampler.mined.has_both_labels)
    data = RankListDataModule(sampler=sampler, batch_size=1, dev=torch.arange(3), seed=1)
    stream(data, 0, 2 * len(has_both_labels))
    assert sorted(rows[: len(has_both_labels)]) == has_both_labels.tolist()
    assert sorted(rows[len(has_both_labels) :]) == has_both_labels.tolist()
    assert rows[: len(has_both_labels)] != rows[len(has_both_labels) :]


def test_identifier_pairs_go_on_where_they_were(sampler: RankListSampler) -> None:
    data = IdentifierDataModule(sampler=sampler._targets, batch_size=8, seed=4)
    whole, rest = stream(data, 0, 5), stream(data, 3, 2)
    assert all(a.labels.equal(b.labels) for a, b in zip(whole[3:], rest, strict=True))
    assert all(a.prompt_ids.equal(b.prompt_ids) for a, b in zip(whole[3:], rest, strict=True))


def test_lists_that_teach_nothing_are_refused(
    mined: MinedLists, retriever: Retriever, corpus: Corpus, minder_index: Path
) -> None:
    hopeless = MinedLists(
        question=mined.question,
        passage=mined.passage,
        score=mined.score,
        relevance=np.zeros_like(mined.relevance),
        key_index=mined.key_index,
        coverage=mined.coverage,
        keys=mined.keys,
    )
    sampler = sampler_over(
        hopeless, retriever, corpus, select=PAIR.select, index=minder_index, each=0
    )
    data = RankListDataModule(sampler=sampler, batch_size=4, dev=torch.arange(3), seed=1)
    with pytest.raises(TrainingDataError, match=r"pretrain\.steps"):
        data.train_dataloader()


def test_moving_a_batch_moves_all_of_it(mined: MinedLists, sampler: RankListSampler) -> None:
    batch = sampler.batch(np.flatnonzero(mined.has_both_labels)[:2], np.random.default_rng(0))
    batch.teacher = {"bm25": batch.mined_score}
    moved = batch.to(torch.device("meta"))
    nested = ("chosen", "generation", "teacher")
    tensors = [getattr(moved, n) for n in RankListBatch.__slots__ if n not in nested]
    tensors += moved.teacher.values()
    tensors += [*moved.chosen.values(), moved.generation.labels]  # type: ignore[union-attr]
    assert {tensor.device.type for tensor in tensors} == {"meta"}


def test_dev_questions_come_in_order(sampler: RankListSampler) -> None:
    data = RankListDataModule(sampler=sampler, batch_size=4, dev=torch.arange(70), seed=1)
    batches = list(data.val_dataloader())
    assert [len(b) for b in batches] == [64, 6]
    assert torch.cat(batches).tolist() == list(range(70))
