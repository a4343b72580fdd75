"""DSI-like families down the whole road: index, stage 1, mined lists, stage 2, measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_road import PRETRAINING, ranking, road

from ltrgr.corpus.records import Corpus
from ltrgr.identifiers.views import Family
from ltrgr.pipeline.indexing import open_serialised, open_vocabulary
from ltrgr.pipeline.settings import Mining
from ltrgr.retrieval.mined import MinedLists
from ltrgr.retrieval.settings import Decoding
from tiny_world import DOCID_FAMILIES, RANDOM, docid_family

BEAMS = 12


def docid_road(root: Path, corpus: Corpus, family: Family, **changes: Any) -> Any:
    return road(
        root,
        corpus,
        family=family,
        decoding=Decoding(beams=BEAMS),
        mining=Mining(passages=BEAMS, questions=40, seed=0),
        **changes,
    )


@pytest.mark.parametrize("name", DOCID_FAMILIES)
def test_every_stage_runs(name: str, corpus: Corpus, tmp_path: Path) -> None:
    family = DOCID_FAMILIES[name]
    built = docid_road(tmp_path, corpus, family)
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
    assert ((mined.member >= 0).sum(axis=2) == mined.mask).all()
    for row in range(len(mined)):
        n = mined.mask[row].sum()
        first = keys.question_offsets[row]
        log_p = keys.log_probability[first + mined.member[row, :n, 0]]
        assert (np.diff(log_p) <= 0).all()


@pytest.mark.parametrize("name", DOCID_FAMILIES)
def test_a_docid_leads_to_its_own_passage(name: str, corpus: Corpus, tmp_path: Path) -> None:
    built = docid_road(tmp_path, corpus, DOCID_FAMILIES[name])
    retriever = built.open(built.pretrain())
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
    assert len(hits) > len(corpus.test.queries)
    for hit in hits:
        (key,) = hit.found_by
        assert (key.view, key.count, key.cover) == ("docid", 1, 1.0)
        assert own[key.text] == hit.passage.id
        assert hit.score == pytest.approx(key.weight)


def test_docids_are_part_of_an_index_s_name(corpus: Corpus, tmp_path: Path) -> None:
    from functools import partial

    from ltrgr.identifiers.docids import random_ids

    other_seed = docid_family(partial(random_ids, symbols=4, seed=1), symbols=4)
    families = [*DOCID_FAMILIES.values(), other_seed]
    names = {docid_road(tmp_path, corpus, family).indexed.fingerprint for family in families}
    assert len(names) == 4
    again = docid_family(partial(random_ids, symbols=4, seed=0), symbols=4)
    roads = [docid_road(tmp_path, corpus, family) for family in (RANDOM, again)]
    assert roads[0].indexed.fingerprint == roads[1].indexed.fingerprint


def test_learning_to_rank_learns_a_docid(corpus: Corpus, tmp_path: Path) -> None:
    """More steps at a higher rate on the mined lists: relevant passages rise in them."""
    from dataclasses import replace

    pretraining = replace(PRETRAINING, steps=60)
    settings = ranking(size=30.0, steps=60, validate_every=60, learning_rate=3e-3)
    built = docid_road(
        tmp_path, corpus, DOCID_FAMILIES["kmeans"], pretraining=pretraining, ranking=settings
    )
    mined = MinedLists.load(built.mine())
    rows = np.flatnonzero(mined.teaches)
    asked = [corpus.train.queries[i].text for i in mined.question[rows]]
    before, after = (
        reciprocal_ranks(built.open(directory), asked, mined, rows)
        for directory in (built.pretrain(), built.rank())
    )
    assert after > before + 0.2


def reciprocal_ranks(
    retriever: Any, texts: list[str], mined: MinedLists, rows: np.ndarray
) -> float:
    """Mean 1 / rank of the first passage that the mined list knows as relevant."""
    total = 0.0
    lists = np.concatenate([found.passage for *_, found in retriever.rank(texts, k=BEAMS)])
    for found, row in zip(lists, rows, strict=True):
        places = np.flatnonzero(np.isin(found, mined.passage[row][mined.relevance[row]]))
        total += 1 / (1 + places[0]) if len(places) else 0.0
    return total / len(rows)
