"""Search as a user sees it: hits, saving, errors, and what mining leaves out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ltrgr.corpus.records import Corpus, Passage, Query, Split
from ltrgr.decoding.decoding_settings import DecodingSettings
from ltrgr.errors import RetrieverError
from ltrgr.identifiers.own_queries import own_query_ranges
from ltrgr.identifiers.tokenised import tokenise_questions
from ltrgr.pipeline.index_stage import open_serialised, open_vocabulary
from ltrgr.pipeline.mine_stage import Miner
from ltrgr.retrieval.hits import Hit
from ltrgr.retrieval.mined import MinedLists, trim
from ltrgr.retrieval.retriever import Retriever
from ltrgr.scoring.scoring_settings import ScoringSettings
from tiny_world import MINDER, awake, index_of, sampler_of, tiny_backbone, train_a_little

Texts = list[str]


@pytest.fixture
def texts(corpus: Corpus) -> Texts:
    return [query.text for query in corpus.dev.queries[:5]]


def test_a_hit_s_score_is_the_sum_over_its_identifiers(retriever: Retriever, texts: Texts) -> None:
    for hits in retriever.search(texts, k=6):
        assert len(hits) == 6
        assert [h.score for h in hits] == sorted((h.score for h in hits), reverse=True)
        for hit in hits:
            assert hit.matches
            total = sum(found.weight * found.coverage for found in hit.matches)
            assert hit.score == pytest.approx(total, rel=1e-6)


def counting(retriever: Retriever, *, partial_keys: bool) -> Retriever:
    """The same retriever with or without unfinished titles and pseudo-queries."""
    return Retriever(
        model=retriever.model,
        vocabulary=retriever.vocabulary,
        index_directory=retriever.index_directory,
        scoring=ScoringSettings(partial_keys=partial_keys),
        decoding=retriever.decoding,
    )


def test_only_whole_titles_and_pseudo_queries_count(retriever: Retriever, texts: Texts) -> None:
    strict, lenient = (counting(retriever, partial_keys=p) for p in (False, True))
    keys = strict.keys(texts)
    ends = [retriever.vocabulary.token_id(t) for t in ("</title>", "</query>")]
    last = keys.tokens[keys.token_offsets[1:] - 1]
    body = keys.view == MINDER.names.index("body")
    whole = body | np.isin(last, ends)
    assert 0 < whole.sum() < len(whole)
    assert (strict.weights(keys)[~whole] == 0).all()
    assert (lenient.weights(keys)[~whole] > 0).any()
    np.testing.assert_array_equal(strict.weights(keys)[whole], lenient.weights(keys)[whole])


def test_identifiers_of_a_hit_stand_in_its_passage(
    retriever: Retriever, texts: Texts, corpus: Corpus
) -> None:
    by_id = {passage.id: passage for passage in corpus.passages}
    views = set()
    lenient = counting(retriever, partial_keys=True)
    for hit in (hit for hits in lenient.search(texts, k=6) for hit in hits):
        whole = by_id[hit.passage.id]
        assert hit.passage == Passage(whole.id, whole.title, whole.text)  # as published
        for found in hit.matches:
            views.add(found.view)
            fields = [whole.title, whole.text, *whole.pseudo_queries]
            places = {"title": [whole.title], "query": whole.pseudo_queries}.get(found.view, fields)
            assert any(found.text in place for place in places), found
            assert found.count >= 1
    assert views == {"title", "body", "query"}


def test_batches_change_nothing(retriever: Retriever, texts: Texts) -> None:
    together = retriever.search(texts, k=4)
    for text, hits in zip(texts, together, strict=True):
        (alone,) = retriever.search([text], k=4)
        assert [h.passage.id for h in alone] == [h.passage.id for h in hits]
        assert [h.score for h in alone] == pytest.approx([h.score for h in hits], rel=1e-5)


def test_no_more_hits_than_passages_found(retriever: Retriever, texts: Texts) -> None:
    for hits in retriever.search(texts, k=500):
        assert 0 < len(hits) <= 80
        assert len({hit.passage.id for hit in hits}) == len(hits)


def test_saved_and_opened_it_finds_the_same(
    retriever: Retriever, texts: Texts, tmp_path: Path, minder_index: Path
) -> None:
    saved = Retriever(
        model=retriever.model,
        vocabulary=retriever.vocabulary,
        index_directory=minder_index,
        scoring=ScoringSettings(exponent=1.5, view_weights={"title": 0.5}),
        decoding=DecodingSettings(num_beams=4, batch_size=2),
    )
    (tmp_path / "model_x").mkdir()
    relative = Path("..") / ".." / minder_index.relative_to(tmp_path.parent)
    saved.save(tmp_path / "model_x", index=str(relative))
    opened = Retriever.from_pretrained(tmp_path / "model_x")
    assert opened.scoring == saved.scoring
    assert opened.decoding == saved.decoding
    assert opened.vocabulary.family == MINDER
    assert_same(opened.search(texts, k=5), saved.search(texts, k=5))
    other = Retriever.from_pretrained(tmp_path / "model_x", scoring=ScoringSettings(exponent=1.0))
    assert other.scoring == ScoringSettings(exponent=1.0)
    assert other.search(texts, k=5) != saved.search(texts, k=5)


def assert_same(found: list[list[Hit]], expected: list[list[Hit]]) -> None:
    """Weights from a file lie elsewhere in memory, so the last bits may differ."""
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert [hit.passage for hit in one] == [hit.passage for hit in other]
        assert [h.score for h in one] == pytest.approx([h.score for h in other], rel=1e-5)
        for first, second in zip(one, other, strict=True):
            assert {(f.view, f.text, f.count) for f in first.matches} == {
                (f.view, f.text, f.count) for f in second.matches
            }


def test_a_directory_without_retriever_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RetrieverError, match=r"no retriever\.json.*`ltrgr pretrain`"):
        Retriever.from_pretrained(tmp_path)


def test_a_moved_index_is_named(tmp_path: Path) -> None:
    described = {"index": "../gone", "views": MINDER.describe(), "scoring": {}, "decoding": {}}
    (tmp_path / "retriever.json").write_text(json.dumps(described))
    with pytest.raises(RetrieverError, match=r"not at .*gone.*`ltrgr index`"):
        Retriever.from_pretrained(tmp_path)


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_question_is_refused(retriever: Retriever, text: str) -> None:
    with pytest.raises(RetrieverError, match="question 1 is empty"):
        retriever.search(["who ran", text])


def test_one_question_may_be_a_string(retriever: Retriever, texts: Texts) -> None:
    hits = retriever.search(texts[0], k=3)
    assert [hits] == retriever.search(texts[:1], k=3)
    assert hits[0].title == hits[0].passage.title
    assert hits[0].text == hits[0].passage.text
    with pytest.raises(RetrieverError, match="question 0 is empty"):
        retriever.search("")


def test_no_question_no_answer(retriever: Retriever) -> None:
    assert retriever.search([]) == []


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match=r"decoding\.num_beams=0"):
        DecodingSettings(num_beams=0)


def own_corpus() -> Corpus:
    """A question whose words stand nowhere but in its own copy, a pseudo-query of p0."""
    names = ["Ada", "Bob", "Carl", "Dora", "Emil", "Fritz", "Greta", "Hugo"]
    passages = [
        Passage(
            f"p{i}", name, f"{name} lived near the {place} for years.", (f"where lived {name}",)
        )
        for i, (name, place) in enumerate(
            zip(names, ["mill", "sea", "wood", "hill", "moor", "town", "lake", "isle"], strict=True)
        )
    ]
    question = "zebras quickly vexing jumpy owls"
    own = Passage("p0", "Ada", passages[0].text, (*passages[0].pseudo_queries, question))
    split = Split((Query("q", question),), {"q": {"p0": 1}})
    return Corpus("own", (own, *passages[1:]), split, Split(), Split(), "own")


def test_a_question_does_not_profit_from_its_own_copy(tmp_path: Path) -> None:
    """Leave one out: no counted key of passage p0 touches the question's copy there."""
    corpus = own_corpus()
    index = index_of(tmp_path, MINDER, corpus)
    vocabulary = open_vocabulary(index, MINDER)
    model = awake(tiny_backbone().make_network(vocabulary))
    retriever = Retriever(
        model=train_a_little(model, sampler_of(index, MINDER, corpus), steps=20),
        vocabulary=vocabulary,
        index_directory=index,
        # The question's own words are keys, however unlikely the model finds them.
        scoring=ScoringSettings(question_ngrams=5, view_offsets={"body": 99.0}),
        decoding=DecodingSettings(num_beams=5),
    )
    questions = tokenise_questions(corpus.train, corpus.passages, vocabulary=vocabulary)
    marked = np.array([True, False, True])
    excluded = own_query_ranges(questions, open_serialised(index), marked=marked)
    (start,), (end,) = excluded[1:]
    # a copy stays one, however little the model reads
    short = retriever.with_(decoding=DecodingSettings(num_beams=5, max_question_length=2))
    mined = Miner.over(short, corpus, passages=8).own
    assert [side.tolist() for side in mined] == [side.tolist() for side in excluded]
    texts = [corpus.train.queries[0].text]

    def positions(ranges: Any) -> tuple[set[int], float]:
        ((_, keys, _, lists),) = retriever.retrieve(texts, k=8, excluded=ranges)
        (place,) = np.flatnonzero(lists.passage[0] == 0)
        taken = set()
        for key, position in zip(lists.key[0, place], lists.position[0, place], strict=True):
            if key >= 0:
                taken |= set(range(position, position + int(keys.length[key])))
        return taken, float(lists.score[0, place])

    copying, with_copy = positions(None)
    fair, without = positions(excluded)
    assert copying & set(range(start, end))
    assert not fair & set(range(start, end))
    assert without < with_copy


def test_trim_keeps_the_counted_keys_and_their_order(retriever: Retriever, texts: Texts) -> None:
    for _, keys, _, lists in retriever.retrieve(texts, k=3):
        kept, key_index = trim(keys, lists)
        weights, kept_weights = retriever.weights(keys), retriever.weights(kept)
        assert 0 < len(kept.lo) < len(keys.lo)
        for row in range(len(lists.passage)):
            old = keys.question_offsets[row] + lists.key[row][lists.key[row] >= 0]
            new = kept.question_offsets[row] + key_index[row][key_index[row] >= 0]
            np.testing.assert_array_equal(key_index[row] >= 0, lists.key[row] >= 0)
            np.testing.assert_array_equal(weights[old], kept_weights[new])
            assert (kept.question[new] == row).all()
            for i, j in zip(old, new, strict=True):
                np.testing.assert_array_equal(
                    keys.tokens[keys.token_offsets[i] : keys.token_offsets[i + 1]],
                    kept.tokens[kept.token_offsets[j] : kept.token_offsets[j + 1]],
                )
        # Nothing is kept that no passage counts.
        used = {
            int(kept.question_offsets[r] + m)
            for r in range(len(key_index))
            for m in key_index[r].ravel()
            if m >= 0
        }
        assert used == set(range(len(kept.lo)))


def test_mined_lists_come_back_from_disk(
    retriever: Retriever, corpus: Corpus, tmp_path: Path
) -> None:
    from mined_lists import mine_some

    mined = mine_some(retriever, corpus, questions=4, k=3)
    mined.save(tmp_path)
    loaded = MinedLists.load(tmp_path)
    for name in (
        "question",
        "passage",
        "score",
        "relevance",
        "key_index",
        "coverage",
        "has_both_labels",
    ):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(mined, name))
    np.testing.assert_array_equal(loaded.keys.tokens, mined.keys.tokens)
    np.testing.assert_array_equal(loaded.keys.count, mined.keys.count)
    assert len(loaded) == 4


def test_lists_that_teach_hold_a_relevant_and_an_irrelevant_passage() -> None:
    passage = np.array([[3, 4, -1], [3, 4, 5], [3, -1, -1], [3, 4, -1]], np.int32)
    relevance = np.array([[1, 0, 0], [1, 1, 1], [1, 0, 0], [0, 0, 1]], np.bool_)
    empty: Any = None
    lists = MinedLists(
        question=np.arange(4), passage=passage, score=empty, relevance=relevance, key_index=empty,
        coverage=empty, keys=empty,
    )  # fmt: skip
    assert lists.has_both_labels.tolist() == [True, False, False, False]


def test_a_changed_copy_leaves_the_retriever_as_it_was(retriever: Retriever) -> None:
    before, texts = retriever.scoring, ["who wrote the novel"]
    one_token = ScoringSettings(exponent=1.0, view_weights={"title": 3.0})
    other = retriever.with_(scoring=one_token, decoding=replace(retriever.decoding, num_beams=2))
    assert (retriever.scoring, other.scoring) == (before, one_token)
    assert other.index is retriever.index and other.model is retriever.model
    (found,), (kept,) = other.retrieve(texts, k=3), retriever.retrieve(texts, k=3)
    assert len(found.keys.lo) < len(kept.keys.lo)  # two beams find fewer keys than five
    np.testing.assert_array_equal(other.weights(kept.keys) != kept.weights, kept.weights != 0)
    with pytest.raises(AttributeError):
        retriever.scoring = one_token  # type: ignore[misc]
    with pytest.raises(ValueError, match="nonsense"):
        retriever.with_(scoring=ScoringSettings(view_weights={"nonsense": 1.0}))
