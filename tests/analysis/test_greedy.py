"""Greedy identifiers against a decoding by hand."""

import numpy as np
import torch

from ltrgr.analysis.greedy import greedy_identifiers
from ltrgr.corpus.records import Corpus
from ltrgr.decoding.model import decoder_start_id
from ltrgr.identifiers.tokenised import tokenise_questions
from ltrgr.pipeline.index_stage import open_serialised
from ltrgr.retrieval.retriever import Retriever


def by_hand(retriever: Retriever, text: str, view: str, steps: int) -> list[int]:
    """The likeliest allowed token, one at a time, from plain forward passes and a text scan."""
    described = retriever.vocabulary.family.views[view]
    markers = set(np.flatnonzero(retriever.vocabulary.is_marker).tolist())
    end = -1 if described.end is None else retriever.vocabulary.token_id(described.end)
    stream = open_serialised(retriever.index_directory).tokens.tolist()
    begin = [] if described.begin is None else [retriever.vocabulary.token_id(described.begin)]
    ids, _ = retriever.prompts(retriever.vocabulary.encode([text]), view)
    found: list[int] = []
    while len(found) < steps and (not found or found[-1] != end):
        key = begin + found
        following = {
            stream[i + len(key)]
            for i in range(len(stream) - len(key))
            if stream[i : i + len(key)] == key
        }
        allowed = [t for t in following if t == end or t not in markers]
        if not allowed:
            break
        inputs = torch.tensor([[decoder_start_id(retriever.model), *found]])
        with torch.no_grad():
            logits = retriever.model(input_ids=ids, decoder_input_ids=inputs).logits[0, -1]
        found.append(max(allowed, key=lambda token: float(logits[token])))
    return found


def test_right_where_a_decoding_by_hand_gives_a_relevant_identifier(
    retriever: Retriever, corpus: Corpus
) -> None:
    serialised = open_serialised(retriever.index_directory)
    questions = tokenise_questions(
        corpus.dev, corpus.passages, vocabulary=retriever.vocabulary, longest=64
    )
    rows = np.arange(12)
    found = greedy_identifiers(retriever, serialised, questions.of(rows))
    assert list(found) == ["title", "body", "query"]
    family = retriever.vocabulary.family
    n_right = 0
    for name, (right, asked) in found.items():
        view = family.names.index(name)
        assert asked.all()  # every passage of the demo has identifiers of each view
        for row in rows:
            key = by_hand(
                retriever, corpus.dev.queries[row].text, name, family.views[name].max_new_tokens
            )
            gold = []
            for passage in questions.relevant[
                questions.relevant_offsets[row] : questions.relevant_offsets[row + 1]
            ]:
                for field in range(*serialised.field_offsets[passage : passage + 2]):
                    if serialised.field_view[field] == view:
                        start, stop = serialised.field_start[field], serialised.field_end[field]
                        gold.append(serialised.tokens[start : stop + 1].tolist())
            if family.views[name].end is None:
                expected = len(key) == family.views[name].max_new_tokens and any(
                    text[i : i + len(key)] == key for text in gold for i in range(len(text))
                )
            else:
                expected = key in gold
            assert right[row] == expected, (name, row)
            n_right += int(expected)
    assert 0 < n_right < 36  # both outcomes are seen


def test_rows_of_questions_are_cut_out_in_order(retriever: Retriever, corpus: Corpus) -> None:
    questions = tokenise_questions(
        corpus.dev, corpus.passages, vocabulary=retriever.vocabulary, longest=64
    )
    part = questions.of(np.array([3, 1]))
    for place, row in enumerate((3, 1)):
        for of in ("offsets", "relevant_offsets"):
            values = {"offsets": "tokens", "relevant_offsets": "relevant"}[of]
            a, b = getattr(part, of)[place : place + 2]
            c, d = getattr(questions, of)[row : row + 2]
            assert getattr(part, values)[a:b].tolist() == getattr(questions, values)[c:d].tolist()
