"""Random corpora, questions and settings of the passage score, and how the judge sees them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from judge import Found, Rule, judge
from small_world import make_keys

from ltrgr.scoring.rank_lists import RankLists
from ltrgr.scoring.scoring_settings import ScoringSettings
from ltrgr.scoring.search.passages import score_passages

END, TITLE = 0, 1  # marker tokens of these tests
MARKERS = {END, TITLE}
V = 12


def run(index, questions, weights, rule=None, *, k=10, excluded=None, markers=MARKERS) -> RankLists:
    rule = rule or Rule()
    return score_passages(
        make_keys(questions, index),
        np.asarray(weights, np.float64),
        index,
        settings=ScoringSettings(
            coverage=rule.coverage,
            overlap=rule.overlap,
            keys_per_passage=rule.most,
            max_candidate_count=rule.max_candidate_count,
            candidates=rule.candidates,
        ),
        marker=np.isin(np.arange(index.vocabulary_size), sorted(markers)),
        k=k,
        excluded=excluded,
    )


tokens_of_text = st.lists(st.integers(2, 5), min_size=1, max_size=14)
key_of_text = st.lists(st.integers(2, 5), min_size=1, max_size=4)


@st.composite
def cases(draw):
    passages = draw(
        st.lists(tokens_of_text.map(lambda t: [TITLE, *t, END]), min_size=1, max_size=8)
    )
    questions = draw(st.lists(st.lists(key_of_text, max_size=12), min_size=1, max_size=3))
    titles = draw(st.lists(key_of_text.map(lambda t: [TITLE, *t]), max_size=2))
    questions[0] = questions[0] + titles  # a key may come twice: the same tokens of two views
    n_keys = sum(map(len, questions))
    # Few distinct values, so that ties and zeros happen.
    weights = draw(
        st.lists(st.sampled_from([0.0, 0.5, 1.3, 2.0, 7.1]), min_size=n_keys, max_size=n_keys)
    )
    rule = Rule(
        coverage=draw(st.sampled_from([0.0, 0.8, 1.0])),
        overlap=draw(st.booleans()),
        most=draw(st.sampled_from([None, 1, 3, 40])),
        max_candidate_count=draw(st.sampled_from([1, 3, 1500])),
        candidates=draw(st.sampled_from([1, 3, 1500])),
    )
    total = sum(map(len, passages))
    span = st.tuples(st.integers(0, total), st.integers(0, 4)).map(lambda s: (s[0], s[0] + s[1]))
    ranges = [draw(st.lists(span, max_size=2)) for _ in questions]
    return passages, questions, weights, rule, ranges


def csr(ranges):
    """Excluded ranges, a list for each question, as ``score_passages`` takes them."""
    flat = [span for spans in ranges for span in spans]
    return (
        np.cumsum([0, *map(len, ranges)]),
        np.array([start for start, _ in flat], np.int64),
        np.array([end for _, end in flat], np.int64),
    )


def assert_judged(lists: RankLists, case, counts: list[int], *, k: int) -> None:
    """The lists of all questions are the judge's; ``counts`` are the keys' in the corpus."""
    passages, questions, weights, rule, ranges = case
    first = 0
    for b, keys in enumerate(questions):
        own = slice(first, first + len(keys))
        wanted = judge(
            passages,
            keys,
            weights[own],
            counts[own],
            markers=MARKERS,
            rule=rule,
            ranges=ranges[b],
            k=k,
        )
        assert_same(lists, b, wanted)
        first += len(keys)


def assert_same(lists: RankLists, b: int, wanted: list[Found]) -> None:
    n = len(wanted)
    assert lists.mask[b].sum() == n
    np.testing.assert_allclose(lists.score[b, :n], [f.score for f in wanted], rtol=1e-9)
    assert lists.passage[b, :n].tolist() == [f.passage for f in wanted]
    for place, found in enumerate(wanted):
        used = len(found.keys)
        assert lists.key[b, place, :used].tolist() == found.keys
        assert (lists.key[b, place, used:] == -1).all()
        assert lists.position[b, place, :used].tolist() == found.positions
        np.testing.assert_allclose(lists.coverage[b, place, :used], found.covers, rtol=1e-6)
