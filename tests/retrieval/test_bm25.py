"""BM25 by its formula, and its order."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltrgr.corpus.records import Passage
from ltrgr.retrieval.bm25 import BM25, best

PASSAGES = [
    Passage(id="a", title="Elbe", text="The river, the long RIVER."),  # 6 words
    Passage(id="b", title="Ulm", text="A town."),  # 3 words
    Passage(id="c", title="Ulm", text="A town.", pseudo_queries=("long river?",)),  # 3 words
]


def idf(df: int) -> float:
    return log(1 + (3 - df + 0.5) / (df + 0.5))


def tf(count: int, length: int) -> float:
    return count / (count + 0.9 * (1 - 0.4 + 0.4 * length / 4))


def test_scores_by_the_formula() -> None:
    indices, scores = BM25(PASSAGES).search(["A long river?", "river river nowhere"], 3)
    a = idf(1) * tf(1, 6) + idf(1) * tf(2, 6)
    b = idf(2) * tf(1, 3)  # pseudo-queries are not read; "A" counts
    assert indices.tolist() == [[0, 1, 2], [0, 1, 2]]
    assert scores[0] == pytest.approx([a, b, b], rel=1e-6)
    assert scores[1] == pytest.approx([2 * idf(1) * tf(2, 6), 0, 0], rel=1e-6)


def test_titles_are_read_and_ties_go_by_position() -> None:
    indices, _ = BM25(PASSAGES).search(["ULM", "elbe"], 2)
    assert indices.tolist() == [[1, 2], [0, 1]]


def test_parameters_reach_the_formula() -> None:
    _, scores = BM25(PASSAGES, k1=2.0, b=0.0).search(["river"], 1)
    assert scores[0] == pytest.approx([idf(1) * 2 / (2 + 2.0)], rel=1e-6)


def test_no_known_word_and_more_asked_than_there_is(capsys) -> None:
    indices, scores = BM25(PASSAGES).search(["zzz", ""], 10)
    assert indices.tolist() == [[0, 1, 2]] * 2
    assert scores.tolist() == [[0.0] * 3] * 2
    assert capsys.readouterr() == ("", "")


def test_no_questions() -> None:
    indices, scores = BM25(PASSAGES).search([], 2)
    assert indices.shape == scores.shape == (0, 2)


def test_no_words() -> None:
    with pytest.raises(ValueError, match="found 1 passages without a single word"):
        BM25([Passage(id="a", title="", text="...")])


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30), st.integers(0, 30))
def test_best_is_a_stable_sort(values, k) -> None:
    scores = np.array(values, dtype=np.float32)
    k = min(k, len(values))
    order, kept = best(scores, k)
    expected = sorted(range(len(values)), key=lambda i: (-values[i], i))[:k]
    assert order.tolist() == expected
    assert kept.tolist() == [values[i] for i in expected]


def test_jax_is_not_started() -> None:
    """Where JAX is installed, bm25s starts it, and JAX takes three quarters of a GPU's memory."""
    if find_spec("jax") is None:  # not importorskip: an imported JAX and fork do not mix
        pytest.skip("JAX is not installed")
    program = (
        "import sys, ltrgr.retrieval.bm25, bm25s.selection\n"
        "assert not bm25s.selection.JAX_IS_AVAILABLE\n"
        "assert not [m for m in sys.modules if m.startswith('jax')]\n"
        "import jax; print(jax.numpy.ones(2).sum())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, stdout=subprocess.PIPE, text=True
    )
    assert done.stdout == "2.0\n"
