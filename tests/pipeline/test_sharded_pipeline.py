"""A pipeline over an index of several shards gives what the unsharded one gives, bit for bit."""

from __future__ import annotations

import shutil
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch

from ltrgr.corpus.records import Corpus
from ltrgr.identifiers.keys import Keys
from ltrgr.pipeline.pipeline import Pipeline
from ltrgr.pipeline.settings import IndexSettings
from ltrgr.retrieval.mined import MinedLists
from ltrgr.retrieval.retriever import Retriever
from ltrgr.scoring.rank_lists import RankLists
from ltrgr.scoring.scoring_settings import ScoringSettings
from tiny_pipeline import pipeline

SHARD_TOKENS = 2_000


@pytest.fixture(scope="module")
def pipelines(
    tmp_path_factory: pytest.TempPathFactory, corpus: Corpus
) -> tuple[Pipeline, Pipeline]:
    """One index and several shards, under the same stage-1 model, with unigrams and n-grams."""
    scoring = ScoringSettings(unigrams=20, question_ngrams=2, max_candidate_count=60)
    whole = pipeline(tmp_path_factory.mktemp("whole"), corpus, scoring=scoring)
    sharded = pipeline(
        tmp_path_factory.mktemp("sharded"),
        corpus,
        scoring=scoring,
        indexing=IndexSettings(shard_tokens=SHARD_TOKENS),
    )
    whole.pretrain()
    shutil.copytree(whole.root / "pretrain", sharded.root / "pretrain")
    sharded.index()
    return whole, sharded


def assert_same_keys(found: Keys, expected: Keys) -> None:
    """In all but the rows, which are each index's own."""
    for name in ("question_offsets", "view", "token_offsets", "tokens", "log_probability", "count"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)


def opened(pipelines: tuple[Pipeline, Pipeline]) -> tuple[Retriever, Retriever]:
    whole, sharded = (one.open("pretrain") for one in pipelines)
    assert len(whole.index) == 1
    assert 3 <= len(sharded.index) <= 10
    return whole, sharded


def test_ranks_are_the_same(pipelines: tuple[Pipeline, Pipeline], corpus: Corpus) -> None:
    texts = [query.text for query in corpus.test.queries]
    ranked = [list(one.retrieve(texts, k=30)) for one in opened(pipelines)]
    for (_, keys, _, lists), (_, sharded_keys, _, sharded) in zip(*ranked, strict=True):
        assert_same_keys(sharded_keys, keys)
        assert lists.mask.any(axis=1).all()
        for field in fields(RankLists):
            np.testing.assert_array_equal(getattr(sharded, field.name), getattr(lists, field.name))


def test_search_shows_the_same(pipelines: tuple[Pipeline, Pipeline], corpus: Corpus) -> None:
    texts = [query.text for query in corpus.test.queries[:6]]
    whole, sharded = (one.search(texts, k=5) for one in opened(pipelines))
    assert sharded == whole
    assert all(hit.matches for hits in sharded for hit in hits)


def test_mined_lists_and_stage_two_are_the_same(pipelines: tuple[Pipeline, Pipeline]) -> None:
    whole, sharded = (MinedLists.load(one.mine()) for one in pipelines)
    assert sharded.keys.lo.shape[1] > 1
    assert_same_keys(sharded.keys, whole.keys)
    for name in ("question", "passage", "score", "relevance", "key_index", "coverage"):
        np.testing.assert_array_equal(getattr(sharded, name), getattr(whole, name), err_msg=name)
    models = [Retriever.from_pretrained(Path(one.rank())).model.state_dict() for one in pipelines]
    assert all(torch.equal(models[1][name], models[0][name]) for name in models[0])
