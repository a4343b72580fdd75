"""Docids that carry meaning: paths through a tree of clusters (hierarchical k-means)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltrgr.corpus.records import Passage
from ltrgr.identifiers.docids import Codes, digits, expect_alphabet
from ltrgr.typed import Count, CountOrZero, Seed, TwoOrMore

Floats = NDArray[np.float32]


def kmeans_ids(
    passages: Sequence[Passage],
    *,
    symbols: TwoOrMore,
    components: Count,
    slack: CountOrZero,
    sample: TwoOrMore,
    seed: Seed,
) -> Codes:
    """DSI's semantically structured identifiers (arXiv 2202.06991, sec. 3.2), ``[P, L]``.

    K-means splits the passages into ``symbols`` groups, then splits each group again, until a
    group has at most ``symbols`` members. A code is the path to the passage's group, then the
    passage's number in it. Similar passages share a prefix, so a wrong code may still be close.

    Args:
        symbols: c, the branching of the tree and the largest size of a leaf.
        components: length of the passage vectors (``passage_vectors``).
        slack: levels that a code may have beyond the fewest possible. A group that k-means would
            split deeper is cut into equal parts instead.
        sample: k-means is fitted on at most this number of vectors of a group.
        seed: of the vectors and of every k-means; the same seed gives the same codes.

    Raises:
        ValueError: ``symbols`` is below 2, or the passages have no words.
    """
    expect_alphabet(symbols)
    vectors = passage_vectors(passages, components=components, seed=seed)
    depth = digits(len(passages), symbols=symbols) + slack
    return tree_codes(vectors, symbols=symbols, depth=depth, sample=sample, seed=seed)


def passage_vectors(passages: Sequence[Passage], *, components: int, seed: int) -> Floats:
    """TF-IDF of title and text (``1 + log tf``), projected on its first singular vectors (LSA).

    Returns:
        float32 [P, d], rows of unit length (zero for a passage without words), d at most
        ``components``.

    Raises:
        ValueError: no passage has a word.
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize
    from threadpoolctl import threadpool_limits

    words = TfidfVectorizer(sublinear_tf=True, dtype=np.float32, token_pattern=r"(?u)\b\w+\b")
    try:
        weights = words.fit_transform(f"{p.title} {p.text}" for p in passages)
    except ValueError as error:
        raise ValueError(
            f"no words in {len(passages)} passages to make vectors of; use "
            "identifiers=docid_random, or check the corpus"
        ) from error
    if weights.shape[1] <= components:
        return np.asarray(weights.todense(), dtype=np.float32)
    with threadpool_limits(1):  # the sums, hence the clusters, depend on the number of threads
        return normalize(TruncatedSVD(components, random_state=seed).fit_transform(weights))


def tree_codes(vectors: Floats, *, symbols: int, depth: int, sample: int, seed: int) -> Codes:
    """Each vector's path through the tree of clusters, at most ``depth`` symbols long.

    Args:
        vectors: float32 [P, d]; P is at most ``symbols ** depth``.

    Returns:
        int32 [P, L], L at most ``depth``: unique codes, -1 after the last symbol. No code is a
        prefix of another.
    """
    from threadpoolctl import threadpool_limits

    codes = np.full((len(vectors), depth), -1, dtype=np.int32)
    groups = [(np.arange(len(vectors)), 0)]
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # k-means on equal vectors: cut evenly below
        while groups:
            members, level = groups.pop()
            if len(members) <= symbols:
                codes[members, level] = np.arange(len(members))
                continue
            room = symbols ** (depth - level - 1)
            branch = _split(vectors[members], symbols=symbols, room=room, sample=sample, seed=seed)
            codes[members, level] = branch
            groups += [(members[branch == b], level + 1) for b in range(branch.max() + 1)]
    return codes[:, : int((codes >= 0).sum(axis=1).max(initial=1))]


def _split(
    vectors: Floats, *, symbols: int, room: int, sample: int, seed: int
) -> NDArray[np.int64]:
    """[n] branch of each vector, numbered from 0 without gaps, at most ``room`` in each."""
    from sklearn.cluster import KMeans

    fitted = KMeans(symbols, n_init=1, random_state=seed).fit(_some(vectors, sample, seed))
    label = np.asarray(fitted.predict(vectors))
    sizes = np.bincount(label)
    if sizes.max() > min(room, len(vectors) - 1):
        # The branch would grow too deep, or all vectors are equal: cut into equal parts, and keep
        # neighbours together.
        order = np.lexsort((_distance(vectors, fitted.cluster_centers_[label]), label))
        label = np.empty(len(vectors), dtype=np.int64)
        label[order] = np.arange(len(vectors)) * symbols // len(vectors)
    return np.unique(label, return_inverse=True)[1].astype(np.int64)


def _some(vectors: Floats, sample: int, seed: int) -> Floats:
    if len(vectors) <= sample:
        return vectors
    return vectors[np.random.default_rng(seed).choice(len(vectors), sample, replace=False)]


def _distance(a: Any, b: Any) -> Any:
    return np.square(a - b).sum(axis=1)
