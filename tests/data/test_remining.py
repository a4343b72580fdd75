"""A period's lists: which questions are re-mined, which keep their first list."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ltrgr.corpus.records import Corpus
from ltrgr.data.remining import Period, Remining, mine_period
from ltrgr.retrieval.mined import MinedLists
from ltrgr.retrieval.retriever import Retriever
from mined_lists import mine_some


@pytest.fixture(scope="module")
def worlds(minder_index: Path, trained_model, corpus: Corpus) -> tuple[MinedLists, MinedLists]:
    """Lists of the same 24 questions, before and after the scoring changed."""
    from ltrgr.decoding.decoding_settings import DecodingSettings
    from ltrgr.pipeline.index_stage import open_vocabulary
    from ltrgr.scoring.scoring_settings import ScoringSettings
    from tiny_world import MINDER

    retriever = Retriever(
        model=trained_model,
        vocabulary=open_vocabulary(minder_index, MINDER),
        index_directory=minder_index,
        scoring=ScoringSettings(),
        decoding=DecodingSettings(num_beams=5, batch_size=16),
    )
    once = mine_some(retriever, corpus, questions=24, k=12)
    other = retriever.with_(scoring=ScoringSettings(exponent=1.0, view_weights={"title": 3.0}))
    return once, mine_some(other, corpus, questions=24, k=12)


def texts_of(lists: MinedLists, row: int) -> list[list[tuple[int, ...]]]:
    """Per listed passage the tokens of its keys: what the flat arrays stand for."""
    first, keys = lists.keys.question_offsets[row], lists.keys
    return [
        [
            tuple(keys.tokens[keys.token_offsets[first + k] : keys.token_offsets[first + k + 1]])
            for k in members[members >= 0]
        ]
        for members in lists.key_index[row]
    ]


def same_list(a: MinedLists, i: int, b: MinedLists, j: int) -> bool:
    return (
        np.array_equal(a.passage[i], b.passage[j])
        and np.array_equal(a.score[i], b.score[j])
        and np.array_equal(a.coverage[i], b.coverage[j])
        and texts_of(a, i) == texts_of(b, j)
    )


def test_chosen_lists_keep_their_keys(worlds: tuple[MinedLists, MinedLists]) -> None:
    once, now = worlds
    some = once.of(np.array([7, 2]))
    both = some.followed_by(now.of(np.array([5])))
    assert both.question.tolist() == [7, 2, 5]
    assert same_list(both, 0, once, 7)
    assert same_list(both, 1, once, 2)
    assert same_list(both, 2, now, 5)


def test_a_period_mines_the_questions_seen_first(worlds: tuple[MinedLists, MinedLists]) -> None:
    once, now = worlds
    asked = []

    def mine(questions):
        asked.append(questions.tolist())
        return now.of(questions)

    seen = np.array([9, 3, 9, 20, 3, 1])
    again = Remining(mine=mine, every=3, questions=3)
    period, mined = mine_period(once, seen, first=6, remining=again)
    assert asked == [[3, 9, 20]]
    assert mined == 3
    assert (period.first, period.rows.tolist()) == (6, [1, 3, 9, 20])
    assert period.lists.question.tolist() == [1, 3, 9, 20]
    has_both_labels = now.has_both_labels
    for place, row in enumerate([1, 3, 9, 20]):
        source = now if row != 1 and has_both_labels[row] else once
        assert same_list(period.lists, place, source, row)
    assert not same_list(once, 3, now, 3)


def test_a_list_that_would_teach_nothing_does_not_replace_one(
    worlds: tuple[MinedLists, MinedLists],
) -> None:
    once, now = worlds
    lost = np.array(now.relevance)
    lost[4] = False
    now = replace(now, relevance=lost)
    good = int(np.flatnonzero(now.has_both_labels)[0])
    again = Remining(mine=now.of, every=3, questions=None)
    period, _ = mine_period(once, np.array([4, good]), first=3, remining=again)
    rows = period.rows.tolist()
    assert same_list(period.lists, rows.index(4), once, 4)
    assert same_list(period.lists, rows.index(good), now, good)


def test_a_period_survives_a_checkpoint(
    worlds: tuple[MinedLists, MinedLists], tmp_path: Path
) -> None:
    once, now = worlds
    again = Remining(mine=now.of, every=3, questions=None)
    period, _ = mine_period(once, np.arange(10), first=3, remining=again)
    torch.save(period.state(), tmp_path / "state")
    found = Period.of_state(torch.load(tmp_path / "state", weights_only=True))
    assert found.first == 3
    np.testing.assert_array_equal(found.rows, period.rows)
    for name, array in period.lists.arrays().items():
        np.testing.assert_array_equal(found.lists.arrays()[name], array)
        assert found.lists.arrays()[name].dtype == array.dtype
