"""DSI-like families down the whole pipeline: index, stage 1, mined lists, stage 2, measured."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from docid_worlds import DocidWorld
from ltrgr.corpus.records import Corpus
from ltrgr.decoding.decoding_settings import DecodingSettings
from ltrgr.errors import RetrieverError
from ltrgr.identifiers.docids import random_ids
from ltrgr.identifiers.serialise import SerialisedCorpus
from ltrgr.identifiers.views import Family
from ltrgr.index.kinds import open_index
from ltrgr.index.shards import Shards
from ltrgr.index.trie import IdentifierTrie
from ltrgr.losses import Objective, Term, all_passages
from ltrgr.pipeline.index_stage import open_serialised, open_vocabulary
from ltrgr.pipeline.settings import IndexSettings, MineSettings
from ltrgr.retrieval.mined import MinedLists
from ltrgr.retrieval.retriever import Retriever
from ltrgr.scoring.rank_lists import RankLists
from ltrgr.scoring.scoring_settings import ScoringSettings
from ltrgr.training.learning_to_rank import rank_list_scores
from ltrgr.typed import SettingsError
from mined_lists import sampler_over
from tiny_pipeline import PRETRAINING, adamw, pipeline, ranking
from tiny_world import (
    DOCID_FAMILIES,
    MINDER,
    RANDOM,
    READ,
    SEAL,
    TITLE,
    docid_family,
    index_of,
    sampler_of,
    tiny_backbone,
    train_a_little,
)

BEAMS = 12
SCORING = ScoringSettings(view_offsets={"docid": 20.0})
"""after so few steps a docid is less likely than its share of the tokens: worth nothing without"""


def docid_pipeline(root: Path, corpus: Corpus, family: Family, **changes: Any) -> Any:
    return pipeline(
        root,
        corpus,
        family=family,
        decoding=DecodingSettings(num_beams=BEAMS),
        scoring=SCORING,
        mining=MineSettings(passages=BEAMS, questions=40, seed=0),
        **changes,
    )


@pytest.mark.parametrize("name", DOCID_FAMILIES)
def test_every_stage_runs(name: str, corpus: Corpus, tmp_path: Path) -> None:
    family = DOCID_FAMILIES[name]
    built = docid_pipeline(tmp_path, corpus, family)
    directory = built.evaluate("rank")
    assert json.loads((directory / "metrics.json").read_text())["questions"] == 24
    mined = MinedLists.load(built.mine())
    keys = mined.keys
    assert (keys.view == 0).all()
    assert (keys.count == 1).all()
    vocabulary = open_vocabulary(built.index(), family)
    assert (keys.tokens[keys.token_offsets[:-1]] == vocabulary.token_id("<docid>")).all()
    assert (keys.tokens[keys.token_offsets[1:] - 1] == vocabulary.token_id("</docid>")).all()
    # One key a passage, and in the order of its probability: as DSI ranks.
    assert ((mined.key_index >= 0).sum(axis=2) == mined.mask).all()
    for row in range(len(mined)):
        n = mined.mask[row].sum()
        first = keys.question_offsets[row]
        log_p = keys.log_probability[first + mined.key_index[row, :n, 0]]
        assert (np.diff(log_p) <= 0).all()


@pytest.mark.parametrize("name", DOCID_FAMILIES)
def test_a_docid_leads_to_its_own_passage(name: str, corpus: Corpus, tmp_path: Path) -> None:
    built = docid_pipeline(tmp_path, corpus, DOCID_FAMILIES[name])
    retriever = built.open("pretrain")
    stream = open_serialised(built.index())
    vocabulary = retriever.vocabulary
    own = {}
    for p, passage in enumerate(corpus.passages):
        field = stream.field_offsets[p]
        code = stream.tokens[stream.field_start[field] : stream.field_end[field]]
        own[vocabulary.text(code)] = passage.id
    assert len(own) == len(corpus.passages)
    found = retriever.search([query.text for query in corpus.test.queries], k=BEAMS)
    hits = [hit for hits in found for hit in hits]
    assert len(hits) == BEAMS * len(corpus.test.queries)
    for hit in hits:
        (key,) = hit.matches
        assert (key.view, key.count, key.coverage) == ("docid", 1, 1.0)
        assert own[key.text] == hit.passage.id
        assert hit.score == pytest.approx(key.weight)


@pytest.mark.parametrize("name", DOCID_FAMILIES)
def test_a_trie_finds_the_same(name: str, corpus: Corpus, tmp_path: Path) -> None:
    """Keys, weights and rank lists to the digit, saved with the one index and searched in each."""
    family, texts = DOCID_FAMILIES[name], [query.text for query in corpus.test.queries]
    fm, trie = (index_of(tmp_path / kind, family, corpus, kind=kind) for kind in ("fm", "trie"))
    for field in fields(SerialisedCorpus):
        streams = [getattr(open_serialised(directory), field.name) for directory in (fm, trie)]
        np.testing.assert_array_equal(*streams)
        assert streams[0].dtype == streams[1].dtype
    torch.manual_seed(0)
    vocabulary = open_vocabulary(trie, family)
    model = train_a_little(
        tiny_backbone().make_network(vocabulary), sampler_of(trie, family, corpus), steps=40
    )
    made = Retriever(
        model=model,
        vocabulary=vocabulary,
        index_directory=trie,
        scoring=replace(SCORING, partial_keys=True),
        decoding=DecodingSettings(num_beams=BEAMS, batch_size=10),
    )
    (tmp_path / "saved").mkdir()
    made.save(tmp_path / "saved", index="../trie")
    opened = Retriever.from_pretrained(tmp_path / "saved")
    assert isinstance(opened.index, IdentifierTrie)
    with_fm = opened.with_(index=open_index(fm))
    assert isinstance(with_fm.index, Shards)
    for ours, theirs in zip(
        opened.retrieve(texts, k=BEAMS), with_fm.retrieve(texts, k=BEAMS), strict=True
    ):
        for part in ("question_offsets", "token_offsets", "tokens", "log_probability", "count"):
            np.testing.assert_array_equal(getattr(ours.keys, part), getattr(theirs.keys, part))
        np.testing.assert_array_equal(ours.weights, theirs.weights)
        assert (ours.weights > 0).any()
        for field in fields(RankLists):
            np.testing.assert_array_equal(
                getattr(ours.lists, field.name), getattr(theirs.lists, field.name), field.name
            )
    assert opened.search(texts, k=5) == with_fm.search(texts, k=5)


def test_a_trie_changes_no_figure(corpus: Corpus, tmp_path: Path) -> None:
    """The whole pipeline: mined lists, both stages and the measured figures, to the digit."""
    fm, trie = (
        docid_pipeline(
            tmp_path / kind, corpus, DOCID_FAMILIES["kmeans"], indexing=IndexSettings(kind=kind)
        )
        for kind in ("fm", "trie")
    )
    assert fm.indexed.fingerprint != trie.indexed.fingerprint
    one, other = (MinedLists.load(built.mine()).arrays() for built in (fm, trie))
    rows = {"keys_lo", "keys_hi"}  # a row is a place in the index
    for name in one.keys() - rows:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)
    np.testing.assert_array_equal(*((a["keys_hi"] - a["keys_lo"]) for a in (one, other)))
    measured = [
        json.loads((built.evaluate(system) / "metrics.json").read_text())
        for system in ("pretrain", "rank")
        for built in (fm, trie)
    ]
    for figures in measured:
        figures.pop("seconds_per_question", None)
    assert measured[0] == measured[1]
    assert measured[2] == measured[3]


def test_an_index_of_other_passages_is_refused(corpus: Corpus, tmp_path: Path) -> None:
    retriever = docid_pipeline(tmp_path, corpus, RANDOM).open("pretrain")
    size = len(retriever.vocabulary)
    few = DocidWorld([[7], [8]], [[], []], [[], []], size)
    with pytest.raises(RetrieverError, match=r"the index has 2 passages, .* has 80; build the ind"):
        retriever.with_(index=few.trie())
    with pytest.raises(RetrieverError, match="do not belong together"):
        retriever.with_(index=few._replace(size=size - 1).trie())


DOCID = RANDOM.views["docid"]


@pytest.mark.parametrize(
    ("family", "searched"),
    [
        (MINDER, r"\['title', 'body', 'query'\]"),
        (SEAL, r"\['title', 'body'\]"),
        (Family({"docid": DOCID, "title": TITLE}), r"\['docid', 'title'\]"),
        (Family({"title": TITLE, "text": READ}), r"\['title'\]"),
    ],
)
def test_a_trie_of_a_family_without_docids_is_refused(
    family: Family, searched: str, corpus: Corpus, tmp_path: Path
) -> None:
    message = f"index.kind=trie with the searched views {searched}: .*set index.kind=fm, or identi"
    with pytest.raises(SettingsError, match=message):
        docid_pipeline(tmp_path, corpus, family, indexing=IndexSettings(kind="trie"))
    with pytest.raises(SettingsError, match=message):
        index_of(tmp_path / "index", family, corpus, kind="trie")
    assert not list(tmp_path.rglob("*.npy"))


def test_settings_that_no_index_has() -> None:
    with pytest.raises(SettingsError, match=r"index.kind='tree': expected one of fm, trie"):
        IndexSettings(kind="tree")
    with pytest.raises(SettingsError, match=r"shard_tokens=9 with index.kind=trie.*=null"):
        IndexSettings(kind="trie", shard_tokens=9)


def test_docids_are_part_of_an_index_s_name(corpus: Corpus, tmp_path: Path) -> None:
    other_seed = docid_family(partial(random_ids, symbols=4, seed=1), symbols=4)
    families = [*DOCID_FAMILIES.values(), other_seed]
    names = {docid_pipeline(tmp_path, corpus, family).indexed.fingerprint for family in families}
    assert len(names) == 4
    again = docid_family(partial(random_ids, symbols=4, seed=0), symbols=4)
    pipelines = [docid_pipeline(tmp_path, corpus, family) for family in (RANDOM, again)]
    assert pipelines[0].indexed.fingerprint == pipelines[1].indexed.fingerprint


def test_learning_to_rank_learns_a_docid(corpus: Corpus, tmp_path: Path) -> None:
    """Stage 2 turns the wrong pairs of its own mined lists, each passage scored by one key."""
    settings = ranking(size=100.0, steps=150, val_check_interval=150, optimizer=adamw(6e-3))
    pretraining = replace(PRETRAINING, steps=60)
    built = docid_pipeline(
        tmp_path, corpus, DOCID_FAMILIES["kmeans"], pretraining=pretraining, ranking=settings
    )
    mined = MinedLists.load(built.mine())
    before, after = (
        right_pairs(built.open(system), corpus, mined, built.index())
        for system in ("pretrain", "rank")
    )
    print(f"right pairs in {mined.has_both_labels.sum()} mined lists: {before:.3f} -> {after:.3f}")
    assert before < 0.8
    assert after > 0.9


def right_pairs(retriever: Any, corpus: Corpus, mined: MinedLists, index: Path) -> float:
    """Share of the lists' (relevant, irrelevant) pairs that the model has in the right order."""
    term = Term(loss=lambda s, r, m: s.sum(), sampler=all_passages)
    select = Objective(terms={"all": term}, lambda_generation=0.0).select
    sampler = sampler_over(mined, retriever, corpus, select=select, index=index, each=0)
    batch = sampler.batch(np.flatnonzero(mined.has_both_labels), np.random.default_rng(0))
    weights, offsets = SCORING.of_views(retriever.vocabulary.family.names)
    scores = rank_list_scores(
        retriever.model,
        batch,
        scoring=SCORING,
        view_weights=torch.from_numpy(weights).float(),
        view_offsets=torch.from_numpy(offsets).float(),
        n_tokens=retriever.index.n_tokens,
    ).detach()
    listed = batch.chosen["all"]
    positive, negative = listed & batch.relevance, listed & ~batch.relevance
    pairs = positive[:, :, None] & negative[:, None, :]
    right = (scores[:, :, None] > scores[:, None, :]) & pairs
    return float(right.sum() / pairs.sum())
