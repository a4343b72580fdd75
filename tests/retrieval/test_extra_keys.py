"""Question n-grams and unigrams against a scan of the token stream."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ltrgr.decoding.model import cumulative_log_probabilities, encode
from ltrgr.identifiers.keys import Keys
from ltrgr.pipeline.index_stage import open_serialised
from ltrgr.retrieval.extra_keys import heaviest, question_ngrams, unigrams, word_ngrams
from ltrgr.retrieval.retriever import Retriever
from ltrgr.scoring.scoring_settings import ScoringSettings

QUESTIONS = ["Which town stands near New Norlugate?", "xylophones, zzz", "the river the river"]


def texts_of(keys: Keys, retriever: Retriever) -> list[list[str]]:
    found: list[list[str]] = [[] for _ in range(len(keys.question_offsets) - 1)]
    for i, question in enumerate(keys.question):
        tokens = keys.tokens[keys.token_offsets[i] : keys.token_offsets[i + 1]]
        found[question].append(retriever.vocabulary.text(tokens))
    return found


def test_ngrams_are_those_of_the_question_that_the_corpus_holds(
    retriever: Retriever, minder_index: Path
) -> None:
    encoded = retriever.vocabulary.encode(QUESTIONS)
    ids, mask = retriever.prompts(encoded, "body")
    keys = question_ngrams(
        QUESTIONS,
        model=retriever.model,
        prompt_ids=ids,
        prompt_mask=mask,
        view=1,
        vocabulary=retriever.vocabulary,
        index=retriever.index,
        longest=2,
    )
    stream = open_serialised(minder_index).tokens.tolist()

    def occurrences(text: str) -> int:
        gram = retriever.vocabulary.encode([text])[0].tolist()
        n = len(gram)
        return sum(stream[i : i + n] == gram for i in range(len(stream)))

    found = texts_of(keys, retriever)
    for question, texts in zip(QUESTIONS, found, strict=True):
        assert texts == [t for t in word_ngrams(question, longest=2) if occurrences(t)]
    assert found[2] == ["the", "river", "the river"]
    flat = [text for texts in found for text in texts]
    assert keys.count.tolist() == [occurrences(text) for text in flat]
    assert (keys.view == 1).all()
    for i in range(len(keys.lo)):
        row = int(keys.question[i])
        tokens = torch.from_numpy(keys.tokens[keys.token_offsets[i] : keys.token_offsets[i + 1]])
        with torch.no_grad():
            states = encode(retriever.model, ids[row : row + 1], mask[row : row + 1])
            forced = cumulative_log_probabilities(
                retriever.model,
                states,
                mask[row : row + 1],
                tokens.long()[None],
                owner=torch.tensor([0]),
            )
        assert keys.log_probability[i] == pytest.approx(float(forced[0, -1]), abs=1e-4)


def test_word_ngrams_by_hand() -> None:
    assert word_ngrams('Who (really) ran "home"?', longest=3) == [
        "Who", "really", "ran", "home", "Who really", "really ran", "ran home",
        "Who really ran", "really ran home",
    ]  # fmt: skip
    assert word_ngrams("? ! ...", longest=3) == []
    assert word_ngrams("one", longest=3) == ["one"]


@pytest.mark.parametrize("offset", [0.0, 3.0, -1.0])
def test_unigrams_are_the_heaviest_tokens(retriever: Retriever, offset: float) -> None:
    marker = retriever.vocabulary.is_marker
    torch.manual_seed(0)
    first = torch.randn(2, len(marker)).mul(2).log_softmax(1)
    scoring = ScoringSettings(unigrams=7)
    keys = unigrams(
        first,
        view=1,
        index=retriever.index,
        is_marker=marker,
        scoring=scoring,
        view_offset=offset,
    )
    counts = np.bincount(retriever.index.tokens(), minlength=len(marker))
    n = retriever.index.n_tokens
    assert 7 in np.diff(keys.question_offsets)
    for row in range(2):
        p = first[row].double().exp().clamp(max=0.999).numpy()
        prior = (counts + 5) / (n + 5)
        weight = np.maximum(0, np.log(p * (1 - prior) / (prior * (1 - p))) + offset) ** 2
        weight[marker | (counts == 0)] = 0
        expected = np.argsort(-weight, kind="stable")[:7]
        expected = expected[weight[expected] > 0]
        own = slice(*keys.question_offsets[row : row + 2])
        assert keys.tokens[own].tolist() == expected.tolist()
        assert keys.count[own].tolist() == counts[expected].tolist()
        np.testing.assert_allclose(keys.log_probability[own], first[row].numpy()[expected])


def test_a_certain_token_passes_the_bound(retriever: Retriever) -> None:
    # p > 1/2: the bound's second half. The common token is likelier than its prior only so.
    marker = retriever.vocabulary.is_marker
    counts = np.bincount(retriever.index.tokens(), minlength=len(marker))
    token = int(np.argmax(np.where(marker, 0, counts)))
    first = torch.full((1, len(marker)), -60.0)
    first[0, token] = -0.01
    scoring = ScoringSettings(unigrams=7)
    keys = unigrams(first, view=1, index=retriever.index, is_marker=marker, scoring=scoring)
    assert keys.tokens.tolist() == [token]


def test_heaviest_by_hand() -> None:
    row = np.array([0, 0, 0, 2, 2])
    weight = np.array([1.0, 3.0, 3.0, 0.0, 2.0])
    # question 0: places 1 and 2 tie, the earlier first; question 1 has none; place 3 weighs nothing
    assert heaviest(row, weight, most=2, questions=3).tolist() == [1, 2, 4]
    assert heaviest(row, weight, most=9, questions=3).tolist() == [1, 2, 0, 4]


def test_tokens_without_weight_are_no_keys(retriever: Retriever) -> None:
    marker = retriever.vocabulary.is_marker
    hopeless = torch.full((1, len(marker)), -50.0)
    keys = unigrams(
        hopeless,
        view=1,
        index=retriever.index,
        is_marker=marker,
        scoring=ScoringSettings(unigrams=7),
    )
    assert len(keys.lo) == 0
    assert keys.question_offsets.tolist() == [0, 0]
