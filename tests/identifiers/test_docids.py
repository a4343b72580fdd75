"""Docids: what each kind gives, and what is refused."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltrgr.corpus.records import Corpus, Passage
from ltrgr.identifiers.clusters import kmeans_ids, passage_vectors, tree_codes
from ltrgr.identifiers.docids import docids_of, random_ids, title_ids
from tiny_world import docid_family

KMEANS = partial(kmeans_ids, symbols=4, components=8, slack=2, sample=1000, seed=0)


def some(n: int) -> list[Passage]:
    return [Passage(str(i), f"title {i}", f"text about {i % 7}") for i in range(n)]


def as_tuples(codes: Any) -> list[tuple[int, ...]]:
    return [tuple(int(s) for s in code if s >= 0) for code in codes]


@given(st.integers(1, 300), st.integers(2, 16), st.integers(0, 3))
def test_random_ids_are_all_numbers_once(n: int, symbols: int, seed: int) -> None:
    codes = random_ids(some(n), symbols=symbols, seed=seed)
    length = codes.shape[1]
    assert symbols**length >= n
    assert length == 1 or symbols ** (length - 1) < n
    assert codes.min() >= 0
    assert codes.max() < symbols
    numbers = codes @ symbols ** np.arange(length - 1, -1, -1)
    assert sorted(numbers.tolist()) == list(range(n))


def test_random_ids_follow_the_seed_alone() -> None:
    one = random_ids(some(50), symbols=4, seed=1)
    other = random_ids([Passage(str(i), "other", "words") for i in range(50)], symbols=4, seed=1)
    assert np.array_equal(one, other)
    assert not np.array_equal(one, random_ids(some(50), symbols=4, seed=2))


def test_titles_are_made_unique_as_a_tokenizer_reads_them() -> None:
    titles = ["Oslo", "oslo", "Øre", "Öre", "ore", "Oslo  2", " Oslo", "", "Oslo 2"]
    found = title_ids([Passage("", t, "a b c d e f g h i j") for t in titles])
    assert found == [
        "Oslo", "oslo 2", "Øre", "Öre", "ore 2", "Oslo  2 2", "Oslo 3", "a b c d e f g h",
        "Oslo 2 3",
    ]  # fmt: skip


def test_a_passage_without_words_has_a_title_id() -> None:
    assert title_ids([Passage("a", "", " "), Passage("b", " ", "")]) == ["untitled", "untitled 2"]


def three_clouds(each: int) -> np.ndarray:
    centres = np.asarray([[10.0, 0, 0], [0, 10, 0], [0, 0, 10]])
    noise = np.random.default_rng(0).normal(size=(3 * each, 3))
    return (np.repeat(centres, each, axis=0) + noise).astype(np.float32)


def test_the_first_symbol_is_the_cloud() -> None:
    codes = tree_codes(three_clouds(3), symbols=3, depth=4, sample=100, seed=0)
    assert codes.shape == (9, 2)
    first = codes[:, 0].reshape(3, 3)
    assert (first == first[:, :1]).all()
    assert len(set(first[:, 0].tolist())) == 3
    assert sorted(codes[:3, 1].tolist()) == [0, 1, 2]


def shapes() -> dict[str, np.ndarray]:
    outliers = np.zeros((200, 2), np.float32)
    outliers[:, 0] = 4.0 ** np.arange(200).clip(max=40)  # k-means cuts off one at a time
    return {
        "clouds": three_clouds(80),
        "all the same": np.ones((200, 3), np.float32),
        "outliers": outliers,
        "twins": np.repeat(three_clouds(20), 4, axis=0),
        "one": np.ones((1, 3), np.float32),
        "a full tree": three_clouds(27)[:64],
    }


@pytest.mark.parametrize("name", shapes())
@pytest.mark.parametrize("slack", [0, 2])
def test_codes_are_unique_prefix_free_and_not_too_long(name: str, slack: int) -> None:
    vectors = shapes()[name]
    fewest = next(d for d in range(1, 9) if 4**d >= len(vectors))
    codes = tree_codes(vectors, symbols=4, depth=fewest + slack, sample=50, seed=0)
    assert codes.max() < 4
    found = as_tuples(codes)
    assert 1 <= max(map(len, found)) <= fewest + slack
    prefixes = {code[:end] for code in found for end in range(len(code))}
    assert len(set(found)) == len(vectors)
    assert not prefixes & set(found)


def test_kmeans_ids_bring_alike_passages_together() -> None:
    rivers = [Passage(f"r{i}", "", f"river water flows delta bank {i}") for i in range(8)]
    towns = [Passage(f"t{i}", "", f"market mayor square street hall {i}") for i in range(8)]
    mixed = [p for pair in zip(rivers, towns, strict=True) for p in pair]
    first = KMEANS(mixed)[:, 0]
    assert not set(first[0::2].tolist()) & set(first[1::2].tolist())


def test_kmeans_ids_are_the_same_again(corpus: Corpus) -> None:
    codes = KMEANS(corpus.passages)
    assert np.array_equal(codes, KMEANS(corpus.passages))
    assert len(set(as_tuples(codes))) == len(corpus.passages) == 80
    other = partial(KMEANS, seed=1)(corpus.passages)
    assert as_tuples(codes) != as_tuples(other)


def test_vectors_have_unit_length(corpus: Corpus) -> None:
    vectors = passage_vectors(corpus.passages, components=8, seed=0)
    assert vectors.shape == (80, 8)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(80), abs=1e-5)


def test_vectors_by_hand() -> None:
    """As few words as components: nothing is projected. idf = 1 + ln((1 + P) / (1 + df))."""
    passages = [Passage("x", "a", "b b"), Passage("y", "", "a")]
    b = (1 + np.log(3 / 2)) * (1 + np.log(2))  # in one of two passages, twice
    expected = [[1 / np.hypot(1, b), b / np.hypot(1, b)], [1, 0]]
    assert passage_vectors(passages, components=2, seed=0) == pytest.approx(np.asarray(expected))


def test_passages_without_words_are_told() -> None:
    with pytest.raises(ValueError, match="identifiers=docid_random"):
        passage_vectors([Passage("a", "", "!"), Passage("b", "", "")], components=2, seed=0)


@pytest.mark.parametrize(
    ("given_ids", "symbols", "message"),
    [
        ([[0], [1]], 2, "found 2 docids, expected one for each of 3"),
        ([[0], [1], [0]], 2, "found 2 different docids for 3 passages"),
        ([[0], [1], [2]], 2, "symbols 0 to 2, the view has symbols=2"),
        ([[0, 1], [1, 1], [-1, 1]], 2, "symbols -1 to 1"),
        ([[0, -1, 1], [1, 1, 1], [1, 0, 1]], 2, "has a symbol after -1"),
        (["a", "b", "a"], 0, "found 2 different docids for 3 passages"),
        (["a", "b", ""], 0, "found 2 different docids for 3 passages"),
    ],
)
def test_docids_that_would_not_work_are_refused(
    given_ids: list[Any], symbols: int, message: str
) -> None:
    docids = given_ids if symbols == 0 else np.asarray(given_ids, np.int32)
    view = docid_family(lambda passages: docids, symbols=symbols).views["docid"]
    with pytest.raises(ValueError, match=message):
        docids_of(view, some(3))


def test_an_alphabet_of_one_is_refused() -> None:
    for ids in (partial(random_ids, seed=0), partial(KMEANS)):
        with pytest.raises(ValueError, match="symbols=1: expected an alphabet of 2 or more"):
            ids(some(3), symbols=1)
