"""Law 1 in docs/method.md, end to end: training scores a mined list as search did."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import BertConfig, EncoderDecoderConfig, EncoderDecoderModel

from ltrgr.corpus.records import Corpus
from ltrgr.data.identifier_batch import IdentifierBatch
from ltrgr.data.rank_list_sampler import RankListSampler
from ltrgr.decoding.decoding_settings import DecodingSettings
from ltrgr.identifiers.vocabulary import Vocabulary
from ltrgr.losses import Objective, Term, all_passages
from ltrgr.pipeline.index_stage import open_vocabulary
from ltrgr.retrieval.retriever import Retriever
from ltrgr.scoring.scoring_settings import ScoringSettings
from ltrgr.training.learning_to_rank import rank_list_scores
from mined_lists import mine_some, sampler_over
from tiny_world import (
    DOCID_FAMILIES,
    MINDER,
    SEAL,
    awake,
    descend,
    index_of,
    sampler_of,
    tiny_backbone,
    train_a_little,
)

QUESTIONS = 40
SCORINGS = {
    "lm_fm": ScoringSettings(),
    "plain_sum": ScoringSettings(exponent=1.0, coverage=0.0, frequency=False, overlap=True),
    "lm_only": ScoringSettings(frequency=False),
    "exponent_1": ScoringSettings(exponent=1.0),
    "unigrams": ScoringSettings(unigrams=50),
    "question_ngrams": ScoringSettings(question_ngrams=3),
    "both_extras": ScoringSettings(question_ngrams=3, unigrams=50),
    "views": ScoringSettings(
        view_weights={"title": 2.0, "body": 0.5}, view_offsets={"title": 1.5, "body": -1.0}
    ),
    "few_keys": ScoringSettings(keys_per_passage=3),
    "max": ScoringSettings(keys_per_passage=1),
    "every_key": ScoringSettings(keys_per_passage=None),
    "noise": ScoringSettings(noise=1.0, drop=0.3, unigrams=50),
}


def retriever_of(
    model: Any, vocabulary: Vocabulary, index: Path, scoring: ScoringSettings, *, num_beams: int = 5
) -> Retriever:
    return Retriever(
        model=model,
        vocabulary=vocabulary,
        index_directory=index,
        scoring=scoring,
        decoding=DecodingSettings(num_beams=num_beams, batch_size=16),
    )


def largest_relative_error(
    model: Any,
    vocabulary: Vocabulary,
    index: Path,
    corpus: Corpus,
    scoring: ScoringSettings,
    *,
    num_beams: int = 5,
) -> tuple[float, int]:
    """Mine, rebuild the batch, score it with gradients; (error, passages compared)."""
    retriever = retriever_of(model, vocabulary, index, scoring, num_beams=num_beams)
    mined = mine_some(retriever, corpus, questions=QUESTIONS, k=20)
    term = Term(loss=lambda s, r, m: s.sum(), sampler=all_passages)
    objective = Objective(terms={"all": term}, lambda_generation=0.0)
    sampler = sampler_over(mined, retriever, corpus, select=objective.select, index=index, each=0)
    rows = np.flatnonzero(mined.has_both_labels)
    batch = sampler.batch(rows, np.random.default_rng(0))
    weights, offsets = scoring.of_views(vocabulary.family.names)
    scores = rank_list_scores(
        model,
        batch,
        scoring=scoring,
        view_weights=torch.from_numpy(weights).float(),
        view_offsets=torch.from_numpy(offsets).float(),
        n_tokens=retriever.index.n_tokens,
    )
    assert scores.requires_grad
    chosen = batch.chosen["all"]
    assert chosen.sum() == mined.mask[rows].sum()
    error = (scores.detach() - batch.mined_score).abs() / batch.mined_score
    return float(error[chosen].max()), int(chosen.sum())


def check(
    record: Any, name: str, model: Any, vocabulary: Vocabulary, index: Path, corpus: Corpus,
    scoring: ScoringSettings, *, num_beams: int = 5,
) -> None:  # fmt: skip
    error, compared = largest_relative_error(
        model, vocabulary, index, corpus, scoring, num_beams=num_beams
    )
    record("largest_relative_error", error)
    print(f"law 1, {name}: largest relative error {error:.2e} over {compared} passages")
    assert compared > 100
    assert error <= 1e-4


@pytest.mark.parametrize("name", SCORINGS)
def test_both_faces_agree(
    name: str, minder_index: Path, trained_model: Any, corpus: Corpus, record_property: Any
) -> None:
    vocabulary = open_vocabulary(minder_index, MINDER)
    check(record_property, name, trained_model, vocabulary, minder_index, corpus, SCORINGS[name])


def test_both_faces_agree_for_seal(corpus: Corpus, tmp_path: Path, record_property: Any) -> None:
    index = index_of(tmp_path, SEAL, corpus)
    vocabulary = open_vocabulary(index, SEAL)
    torch.manual_seed(1)
    model = awake(tiny_backbone().make_network(vocabulary))
    train_a_little(model, sampler_of(index, SEAL, corpus), steps=60)
    check(record_property, "SEAL", model, vocabulary, index, corpus, ScoringSettings())


@pytest.mark.parametrize(
    ("name", "scoring"),
    [
        ("random", ScoringSettings()),
        ("kmeans", ScoringSettings(partial_keys=True)),
        ("kmeans", ScoringSettings(view_offsets={"docid": 10.0})),
        ("title", ScoringSettings()),
    ],
)
def test_both_faces_agree_for_docids(
    name: str, scoring: ScoringSettings, corpus: Corpus, tmp_path: Path, record_property: Any
) -> None:
    family = DOCID_FAMILIES[name]
    index = index_of(tmp_path, family, corpus)
    vocabulary = open_vocabulary(index, family)
    torch.manual_seed(1)
    model = awake(tiny_backbone().make_network(vocabulary))
    train_a_little(model, sampler_of(index, family, corpus), steps=60)
    check(record_property, f"docid {name}", model, vocabulary, index, corpus, scoring, num_beams=20)


def test_both_faces_agree_for_a_warm_started_shape(
    minder_index: Path, corpus: Corpus, record_property: Any
) -> None:
    vocabulary = open_vocabulary(minder_index, MINDER)
    model = awake(bert_to_bert(vocabulary))
    train_a_little(model, sampler_of(minder_index, MINDER, corpus), steps=60)
    check(record_property, "BERT2BERT", model, vocabulary, minder_index, corpus, ScoringSettings())


def test_both_faces_agree_where_the_model_is_sure(
    minder_index: Path, random_model: Any, corpus: Corpus, record_property: Any
) -> None:
    """Near p = 1 the log odds magnify every rounding error; the cap must tame them."""
    vocabulary = open_vocabulary(minder_index, MINDER)
    batch = titles_of_first_questions(vocabulary, corpus, n=12)
    model = descend(deepcopy(random_model), lambda step: batch, steps=500, label_smoothing=0.0)
    asked = [query.text for query in corpus.train.queries[:12]]
    keys = retriever_of(model, vocabulary, minder_index, ScoringSettings()).keys(asked)
    assert (keys.log_probability > np.log(0.99)).sum() > 12
    check(record_property, "sure", model, vocabulary, minder_index, corpus, ScoringSettings())


def titles_of_first_questions(vocabulary: Vocabulary, corpus: Corpus, *, n: int) -> IdentifierBatch:
    """(question, title of its first relevant passage), to be learnt by heart."""
    by_id = {passage.id: passage for passage in corpus.passages}
    queries = corpus.train.queries[:n]
    titles = [by_id[next(iter(corpus.train.qrels[q.id]))].title for q in queries]
    ids, mask = vocabulary.pad(
        [
            vocabulary.prompt(q, "title", longest=64)
            for q in vocabulary.encode([q.text for q in queries])
        ]
    )
    end = np.array([vocabulary.token_id("</title>")], np.int32)
    labels, inside = vocabulary.pad([np.append(t, end) for t in vocabulary.encode(titles)])
    labels[inside == 0] = -100
    return IdentifierBatch(torch.from_numpy(ids), torch.from_numpy(mask), torch.from_numpy(labels))


def test_the_law_would_notice_another_prompt(
    minder_index: Path, trained_model: Any, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One wrong marker in training's prompts, and the faces part."""
    vocabulary = open_vocabulary(minder_index, MINDER)
    honest = Vocabulary.prompt
    swapped = {"title": "body", "body": "query", "query": "title"}

    def cheat(self: Vocabulary, question: Any, view: str, *, longest: int) -> Any:
        return honest(self, question, swapped[view], longest=longest)

    original = RankListSampler._prompts

    def prompts(self: RankListSampler, *arguments: Any) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Vocabulary, "prompt", cheat)
            return original(self, *arguments)

    monkeypatch.setattr(RankListSampler, "_prompts", prompts)
    error, _ = largest_relative_error(
        deepcopy(trained_model), vocabulary, minder_index, corpus, ScoringSettings()
    )
    assert error > 0.1


def bert_to_bert(vocabulary: Vocabulary) -> Any:
    """A random encoder-decoder of two one-layer BERTs."""
    shape = {
        "vocab_size": len(vocabulary),
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": 128,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
    }
    torch.manual_seed(2)
    config = EncoderDecoderConfig.from_encoder_decoder_configs(
        BertConfig(**shape), BertConfig(**shape, is_decoder=True, add_cross_attention=True)
    )
    config.decoder_start_token_id = 0
    config.pad_token_id = vocabulary.pad_id
    return EncoderDecoderModel(config)
