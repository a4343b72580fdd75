"""Exposure bias of a tiny trained retriever, and its summary worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ltrgr.analysis.beams import OFF
from ltrgr.analysis.exposure import Observed, join, observe, summarise
from ltrgr.corpus.records import Corpus
from ltrgr.identifiers.tokenised import TokenisedQuestions, tokenise_questions
from ltrgr.pipeline.index_stage import open_serialised
from ltrgr.report.exposure_figure import exposure_figure
from ltrgr.retrieval.retriever import Retriever

TRUE, FALSE = True, False


def by_hand() -> Observed:
    """Four questions of three tokens, two tokens, none, and one token."""
    return Observed(
        length=np.asarray([3, 2, 0, 1]),
        forced=np.asarray([[1, 0, 1, 0], [1, 1, 0, 0], [0] * 4, [0] * 4]).astype(bool),
        own=np.asarray([[1, 0, 0, 0], [1, 1, 1, 1], [0] * 4, [0] * 4]).astype(bool),
        rank=np.asarray([[1, 4, OFF, OFF], [2, 1, 1, 1], [OFF] * 4, [OFF] * 4]),
        log_probability=np.asarray([-2, -1, 0, -3], dtype=np.float32),
        found=np.asarray([FALSE, TRUE, FALSE, FALSE]),
        best=np.asarray([-2.5, -1, -1, -2], dtype=np.float32),
        worst=np.asarray([-9, -9, -9, -4], dtype=np.float32),
    )


def test_summary_by_hand() -> None:
    assert summarise(by_hand()) == {
        "questions": 3,
        "without_gold": 1,
        "depth": [1, 2, 3],
        "questions_by_depth": [3, 2, 1],
        "forced": [pytest.approx(2 / 3, abs=1e-6), 0.5, 1.0],
        "own": [pytest.approx(2 / 3, abs=1e-6), 0.5, 0.0],
        # of the two whose first token was right, one takes a right second one; of the one
        # question with three tokens, the second was wrong already
        "own_step": [pytest.approx(2 / 3, abs=1e-6), 0.5, None],
        "on_beam": [pytest.approx(2 / 3, abs=1e-6), 1.0, 0.0],
        "median_rank": [1.5, 2.5, None],
        "median_fall": 2.0,  # at the third and at the first token
        # question 0: -2 > -2.5, pruned though better than anything returned; question 3:
        # -3 < -2, but above the worst
        "errors": {
            "found": pytest.approx(1 / 3),
            "search": pytest.approx(1 / 3),
            "model": pytest.approx(1 / 3),
            "above_worst": pytest.approx(2 / 3),
        },
    }


def test_a_view_that_no_relevant_passage_has() -> None:
    none = replace(by_hand(), length=np.zeros(4, dtype=np.int64))
    assert summarise(none) == {"questions": 0, "without_gold": 4}


def test_join_puts_batches_in_order() -> None:
    both = join([by_hand(), by_hand()])
    assert both.length.tolist() == [3, 2, 0, 1] * 2
    assert both.rank.shape == (8, 4)


def questions_of(retriever: Retriever, corpus: Corpus) -> TokenisedQuestions:
    return tokenise_questions(
        corpus.test, corpus.passages, vocabulary=retriever.vocabulary, longest=64
    )


def seen_by(retriever: Retriever, corpus: Corpus) -> dict[str, Observed]:
    serialised = open_serialised(retriever.index_directory)
    parts = [v for _, v in observe(retriever, serialised, questions_of(retriever, corpus))]
    return {view: join([part[view] for part in parts]) for view in parts[0]}


def test_all_views_of_a_trained_retriever(retriever: Retriever, corpus: Corpus) -> None:
    seen = seen_by(retriever, corpus)
    assert list(seen) == ["title", "body", "query"]
    n = len(corpus.test.queries)
    titles = {p.id: p.title for p in corpus.passages}
    encoded = retriever.vocabulary.encode
    for row, query in enumerate(corpus.test.queries):
        relevant = {titles[p] for p, grade in corpus.test.qrels[query.id].items() if grade > 0}
        if len(relevant) == 1:
            assert seen["title"].length[row] == len(encoded([relevant.pop()])[0]) + 1
    for view in seen.values():
        assert len(view.length) == n
        assert (view.forced[:, 0] == view.own[:, 0]).all()  # both follow the empty prefix
        assert (np.diff(view.own.astype(int), axis=1) <= 0).all()  # a wrong prefix stays wrong
        assert (np.diff((view.rank < OFF).astype(int), axis=1) <= 0).all()
    assert 0 < seen["title"].own[:, 0].mean() < 1  # the checks above saw both kinds


def test_with_one_gold_identifier_own_prefixes_follow_from_forced_steps(
    retriever: Retriever, corpus: Corpus
) -> None:
    """Greedy decoding is right up to t exactly where every forced step up to t is."""
    title = seen_by(retriever, corpus)["title"]
    names = {p.id: p.title for p in corpus.passages}
    checked = 0
    for row, query in enumerate(corpus.test.queries):
        judged = corpus.test.qrels[query.id]
        if len({names[p] for p, grade in judged.items() if grade > 0}) != 1:
            continue
        length = title.length[row]
        expected = np.logical_and.accumulate(title.forced[row, :length])
        assert title.own[row, :length].tolist() == expected.tolist()
        checked += 1
    assert checked > 10


def test_a_beam_as_wide_as_the_corpus_loses_nothing(retriever: Retriever, corpus: Corpus) -> None:
    wide = retriever.with_(decoding=replace(retriever.decoding, num_beams=200))
    title = summarise(seen_by(wide, corpus)["title"])
    assert title["errors"] == {"found": 1.0, "search": 0.0, "model": 0.0, "above_worst": 0.0}
    assert set(title["on_beam"]) == {1.0}
    assert title["median_fall"] is None


def test_log_p_and_errors_agree_with_the_search(retriever: Retriever, corpus: Corpus) -> None:
    """What a wide beam finds has the log p that teacher forcing gives it."""
    narrow = seen_by(retriever, corpus)["title"]
    many = replace(retriever.decoding, num_beams=200)
    wide = seen_by(retriever.with_(decoding=many), corpus)["title"]
    np.testing.assert_allclose(wide.log_probability, narrow.log_probability, atol=1e-4)
    assert (wide.best >= wide.log_probability - 1e-4).all()
    assert (narrow.best <= wide.best + 1e-4).all()
    assert not narrow.found.all()  # five beams do lose some


def test_the_figure_shows_curves_by_depth_and_stacked_shares() -> None:
    shown = summarise(join([by_hand()] * 5))
    assert shown["questions_by_depth"] == [15, 10, 5]  # too few for a point at the third depth
    panels = exposure_figure({"before": {"title": shown}, "after": {"title": shown}}).axes
    for axes, curve in zip(panels, ("forced", "own", "on_beam"), strict=False):
        expected = [[d, 100 * v] for d, v in zip((1, 2), shown[curve], strict=False)]
        before, after = axes.lines
        np.testing.assert_allclose(before.get_xydata(), expected)
        np.testing.assert_allclose(after.get_xydata(), expected)
        assert (before.get_linestyle(), after.get_linestyle()) == ("--", "-")
    heights = [bar.get_height() for bar in panels[3].patches]
    shares = [100 * shown["errors"][kind] for kind in ("found", "search", "model")]
    assert heights == pytest.approx([share for share in shares for _ in range(2)])


def test_a_view_without_questions_is_not_drawn() -> None:
    empty = {"title": summarise(by_hand()), "query": {"questions": 0, "without_gold": 4}}
    panels = exposure_figure({"before": empty}).axes
    assert [line.get_label() for line in panels[0].lines] == ["before: title"]
    assert len(panels[3].patches) == 3
