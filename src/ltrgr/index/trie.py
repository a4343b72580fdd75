"""The trie index: the sorted identifiers of all passages, one for each passage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ltrgr.csr import csr_offsets
from ltrgr.disk import naming_the_disk
from ltrgr.errors import IndexFormatError
from ltrgr.index import trie_kernels
from ltrgr.index.construction import Progress
from ltrgr.index.storage import CURE, TRIE, read_arrays
from ltrgr.index.trie_arrays import TrieArrays
from ltrgr.index.trie_construction import construct_trie
from ltrgr.index.writing import IndexWriter

Rows = NDArray[np.int64]


class IdentifierTrie:
    """A trie over P distinct identifiers (docids), memory-mapped; an `Index` of one shard.

    A key is the begin of an identifier, its begin marker included. The state of a key is the
    interval [lo, hi) of the identifiers that begin with it in sorted order, so hi - lo is its
    count. The results equal those of an FM-index over a token stream in which these tokens follow
    the begin marker nowhere else.

    Bytes on disk: 6 for each distinct prefix of an identifier (8 beyond 65,536 token ids) and 16
    for each passage. All methods are thread-safe.
    """

    def __init__(self, arrays: TrieArrays, *, n_tokens: int, vocabulary_size: int) -> None:
        self.arrays = (arrays,)
        self.n_tokens = n_tokens
        """N, tokens of the whole token stream; key weights depend on it."""
        self.vocabulary_size = vocabulary_size
        """V, number of token ids."""

    @classmethod
    def build(
        cls,
        *,
        tokens: NDArray[Any],
        begins: NDArray[Any],
        ends: NDArray[Any],
        vocabulary_size: int,
        directory: str | Path,
        progress: Progress | None = None,
    ) -> IdentifierTrie:
        """Build the trie of a corpus, save it to ``directory`` and open it.

        Args:
            tokens: [N] the token stream of the corpus; 0 <= id < vocabulary_size.
            begins, ends: [P] the identifier of passage p is ``tokens[begins[p]:ends[p]]``, its
                markers included.
            vocabulary_size: V, ids that the corpus never uses included.
            directory: replaced in one step if it holds an index.
            progress: called with the current step and the fraction already done.

        Raises:
            IndexFormatError: no passage, an empty identifier, an identifier that is equal to or
                the begin of another one, an id out of range, or a directory that holds something
                else.
            DiskFullError: the disk is full; the old content of ``directory`` is unchanged.
        """
        report = progress or (lambda step, share: None)
        tokens = np.asarray(tokens)
        report("trie", 0.0)
        arrays = construct_trie(
            tokens=tokens,
            begins=np.asarray(begins),
            ends=np.asarray(ends),
            vocabulary_size=vocabulary_size,
        )
        report("saving", 0.9)
        with naming_the_disk(Path(directory)), IndexWriter(Path(directory), TRIE) as writer:
            for name in TRIE.arrays:
                writer.add(name, getattr(arrays, name))
            writer.finish(
                tokens=len(tokens), passages=len(arrays.passage), vocabulary_size=vocabulary_size
            )
        report("done", 1.0)
        return cls.open(directory)

    @classmethod
    def open(cls, directory: str | Path, *, verify: bool | None = None) -> IdentifierTrie:
        """Map a saved trie into memory.

        Args:
            verify: as in `FMIndex.open`.

        Raises:
            IndexFormatError: missing, foreign, of another version, truncated, or damaged.
        """
        directory = Path(directory)
        mapped, header = read_arrays(directory=directory, layout=TRIE, verify=verify)
        arrays = TrieArrays(**mapped)
        sizes = {len(arrays.passage), len(arrays.row), len(arrays.begin), header["passages"]}
        nodes = {len(arrays.token), len(arrays.first_row), *arrays.level_offsets[-1:].tolist()}
        if len(sizes) > 1 or len(nodes) > 1:
            raise IndexFormatError(
                f"{directory} holds arrays of {sorted(sizes)} passages and {sorted(nodes)} nodes, "
                f"expected one number of each: {CURE}"
            )
        return cls(arrays, n_tokens=header["tokens"], vocabulary_size=header["vocabulary_size"])

    def __len__(self) -> int:
        return 1

    @property
    def n_passages(self) -> int:
        """P, passages in the corpus, which is the number of rows."""
        return len(self.arrays[0].passage)

    @property
    def first_token(self) -> Rows:
        """[2] 0 and N."""
        return csr_offsets([self.n_tokens])

    @property
    def first_passage(self) -> Rows:
        """[2] 0 and P."""
        return csr_offsets([self.n_passages])

    def interval(self, tokens: ArrayLike) -> tuple[Rows, Rows]:
        """The rows lo, hi [1] of one key; lo == hi if no identifier begins with it."""
        key = np.asarray(tokens)
        lo, hi = self.intervals([0, len(key)], key)
        return lo[0], hi[0]

    def intervals(self, token_offsets: ArrayLike, flat_tokens: ArrayLike) -> tuple[Rows, Rows]:
        """lo, hi [n, 1]; key i is ``flat_tokens[token_offsets[i]:token_offsets[i + 1]]``."""
        lo, hi = trie_kernels.intervals_of(
            self.arrays[0], _integers(token_offsets), _integers(flat_tokens)
        )
        return lo[:, None], hi[:, None]

    def extend(
        self, lo: ArrayLike, hi: ArrayLike, tokens: ArrayLike, *, depth: int
    ) -> tuple[Rows, Rows]:
        """lo, hi [n, 1] of n keys of ``depth`` tokens, each extended by its own token [n]."""
        new_lo, new_hi = trie_kernels.extend_many(
            self.arrays[0],
            _integers(np.asarray(lo)[:, 0]),
            _integers(np.asarray(hi)[:, 0]),
            _integers(tokens),
            depth,
        )
        return new_lo[:, None], new_hi[:, None]

    def token_counts(self, *, size: int) -> NDArray[np.int64]:
        """[size] how many identifiers begin with each token, a key of its own."""
        lo, hi = self.intervals(np.arange(size + 1), np.arange(size))
        counts: NDArray[np.int64] = (hi - lo)[:, 0]
        return counts


def _integers(values: ArrayLike) -> NDArray[np.int64]:
    """As int64, writable and contiguous: numba compiles again for any other type of array."""
    return np.require(values, np.int64, ["C", "W"])
