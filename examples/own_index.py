"""An index of your own: a plain suffix array in place of the FM-index.

It finds the tokens that may follow a key by binary search in the text: simple, and slow for keys
that occur often. Decoding and scoring use its compiled steps as they use those of the FM-index.
numba keeps the code of decoding and scoring with these steps inside, and does not notice when you
change a step: name an empty folder in NUMBA_CACHE_DIR while you write your own.

python examples/own_index.py
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from ltrgr import train
from ltrgr.corpus.demo import generate_demo
from ltrgr.index.any_index import KERNELS, Kernels
from ltrgr.index.suffix_array import suffix_array


class SuffixArrays(NamedTuple):
    """N tokens of P passages. The type selects the compiled steps below."""

    text: Any
    """[N] token ids"""
    suffix: Any
    """[N] where the suffix of each row begins, in lexicographic order"""
    passage_offsets: Any
    """[P + 1] first token of each passage, and N"""


step = njit(nogil=True, _nrt=False)  # a step allocates nothing, so it needs no reference counts


@step
def token_at(arrays, row, depth):
    """Token number ``depth`` of a row's suffix; -1 beyond the end of the text."""
    place = arrays.suffix[row] + depth
    return np.int64(arrays.text[place]) if place < arrays.text.size else np.int64(-1)


@step
def first_row(arrays, lo, hi, token, depth):
    """The first row of [lo, hi) whose token number ``depth`` is ``token`` or above; or ``hi``."""
    while lo < hi:
        middle = (lo + hi) >> 1
        if token_at(arrays, middle, depth) < token:
            lo = middle + 1
        else:
            hi = middle
    return lo


@step
def extend(arrays, lo, hi, token, depth):
    """The rows of the key extended by ``token``."""
    first = first_row(arrays, lo, hi, token, depth)
    return first, first_row(arrays, first, hi, token + 1, depth)


@step
def allowed(arrays, lo, hi, depth, stamp, stamp_value, out):
    """Write the tokens that follow the key to ``out``, ascending; return their number."""
    n, row = 0, first_row(arrays, lo, hi, 0, depth)
    while row < hi:
        out[n] = token_at(arrays, row, depth)
        row = first_row(arrays, row, hi, out[n] + 1, depth)
        n += 1
    return n


@step
def position_of_row(arrays, row, length):
    """Where the occurrence begins."""
    return np.int64(arrays.suffix[row])


@step
def passage_of_row(arrays, row, length):
    """The passage of the occurrence, or -1 if it crosses the end of one."""
    begin = np.int64(arrays.suffix[row])
    passage = np.searchsorted(arrays.passage_offsets, begin, side="right") - 1
    return passage if begin + length <= arrays.passage_offsets[passage + 1] else np.int64(-1)


@step
def span_of_passage(arrays, passage):
    """The positions of the passage's tokens."""
    return arrays.passage_offsets[passage], arrays.passage_offsets[passage + 1]


@njit(nogil=True)
def passages_of_token(arrays, token):
    """No lists: candidates are found row by row."""
    return np.empty(0, np.int32)


KERNELS[SuffixArrays] = Kernels(
    extend=extend,
    allowed=allowed,
    passage_of_row=passage_of_row,
    position_of_row=position_of_row,
    span_of_passage=span_of_passage,
    passages_of_token=passages_of_token,
)


class SuffixArrayIndex:
    """An `ltrgr.index.protocol.Index` of one shard."""

    def __init__(self, text, passage_offsets, *, vocabulary_size):
        suffix = suffix_array(text)[1:].astype(np.int64)  # without the row of the empty suffix
        self.arrays = (SuffixArrays(text, suffix, passage_offsets),)
        self.n_tokens, self.n_passages = len(text), len(passage_offsets) - 1
        self.vocabulary_size = vocabulary_size
        self.first_token = np.array([0, self.n_tokens])
        self.first_passage = np.array([0, self.n_passages])

    def __len__(self):
        return 1

    def extend(self, lo, hi, tokens, *, depth):
        """lo, hi [n, 1] of n keys of ``depth`` tokens, each extended by its own token."""
        rows = [
            [extend(self.arrays[0], *one, depth)]
            for one in zip(np.ravel(lo), np.ravel(hi), np.ravel(tokens), strict=True)
        ]
        found = np.array(rows, np.int64).reshape(-1, 1, 2)
        return found[:, :, 0], found[:, :, 1]

    def interval(self, tokens):
        """lo, hi [1] of one key."""
        lo, hi = np.array([[0]]), np.array([[self.n_tokens]])
        for depth, token in enumerate(tokens):
            lo, hi = self.extend(lo, hi, [token], depth=depth)
        return lo[0], hi[0]

    def intervals(self, token_offsets, flat_tokens):
        """lo, hi [n, 1] of n keys, one after the other in ``flat_tokens``."""
        keys = np.split(np.asarray(flat_tokens), np.asarray(token_offsets)[1:-1])
        found = np.array([self.interval(key) for key in keys], np.int64).reshape(-1, 2, 1)
        return found[:, 0], found[:, 1]

    def token_counts(self, *, size):
        """[size] occurrences of each token."""
        return np.bincount(self.arrays[0].text, minlength=size)


def main():
    corpus = generate_demo(passages=80, train_questions=200, dev_questions=20, test_questions=20)
    usual = train(corpus, root="runs/examples", overrides=["budget=smoke"])
    (built,) = usual.index.arrays
    own = SuffixArrayIndex(
        np.array(built.text),
        np.array(built.passage_offsets),
        vocabulary_size=usual.index.vocabulary_size,
    )
    print(f"{own.n_tokens} tokens, {own.n_passages} passages")
    for query in corpus.test.queries[:3]:
        before = usual.search(query.text, k=3)
        after = usual.with_(index=own).search(query.text, k=3)
        print(query.text)
        print("  FM-index:    ", ", ".join(f"{hit.title} {hit.score:.0f}" for hit in before))
        print("  suffix array:", ", ".join(f"{hit.title} {hit.score:.0f}" for hit in after))


if __name__ == "__main__":
    main()
