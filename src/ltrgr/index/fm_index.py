"""The FM-index: which tokens follow a key in the corpus, how often, and where."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ltrgr.compiled import must_compile
from ltrgr.disk import naming_the_disk
from ltrgr.index import batch
from ltrgr.index.arrays import WIDE_THRESHOLD, IndexArrays
from ltrgr.index.construction import Progress, check_corpus, construct
from ltrgr.index.machine import free_disk, free_memory
from ltrgr.index.memory_plan import plan_build
from ltrgr.index.sais_library import integer_sort
from ltrgr.index.storage import read_index
from ltrgr.index.writing import IndexWriter

log = logging.getLogger("ltrgr")


class FMIndex:
    """An FM-index (Ferragina and Manzini 2000) over the reversed corpus, memory-mapped.

    Backward search over the reversed text lets a key grow to the right. The state of a key is one
    row interval [lo, hi), with one row for each occurrence; the caller keeps it. `root` is the
    interval of the empty key. A key is any token sequence of the concatenated passages. A key that
    crosses the end of a passage counts too, so every passage has to end with a marker token that
    no key holds.

    Bytes per token, up to 65,535 token ids (beyond: 4 more): transform 2, occurrence lists 4.1,
    suffix array 4 (read only by `locate`), text 2, wide lists below 1, passages of rare tokens
    below 2, passages 12 / length. That is 13 to 15 on disk; a search without `locate` reads about
    7. A build takes 16 at its peak (20 beyond 65,535 ids or 2^31 tokens), the caller's int32 tokens
    included.

    The methods take and return whole arrays. Compiled code of other rooms takes `arrays` and calls
    the single steps of `ltrgr.index.kernels`. All methods are thread-safe.
    """

    def __init__(self, arrays: IndexArrays) -> None:
        self.arrays = arrays

    @classmethod
    def build(
        cls,
        *,
        tokens: NDArray[Any],
        offsets: NDArray[Any],
        vocabulary_size: int,
        directory: str | Path,
        wide_threshold: int = WIDE_THRESHOLD,
        progress: Progress | None = None,
        force: bool = False,
    ) -> FMIndex:
        """Build the index of a corpus, save it to ``directory`` and open it.

        Args:
            tokens: [N] token ids of all passages, one after the other; 0 <= id < vocabulary_size.
            offsets: [P + 1] begin of each passage in ``tokens``; the last entry is N.
            vocabulary_size: V, ids that the corpus never uses included.
            directory: replaced in one step if it holds an index.
            wide_threshold: rows above which an interval's next tokens are listed at build time.
            progress: called with the current step and the fraction already done.
            force: build even if memory or disk will not suffice.

        Raises:
            IndexFormatError: an id out of range, an empty passage, offsets that do not increase,
                no tokens at all, or a directory that holds something else.
            BuildTooLargeError: memory or disk will not suffice, before any work.
            DiskFullError: the disk is full; the old content of ``directory`` is unchanged.
        """
        tokens, offsets = np.asarray(tokens), np.asarray(offsets)
        check_corpus(tokens=tokens, offsets=offsets, vocabulary_size=vocabulary_size)
        plan = plan_build(
            tokens=len(tokens),
            passages=len(offsets) - 1,
            vocabulary_size=vocabulary_size,
            free_memory=free_memory(),
            free_disk=free_disk(Path(directory)),
            as_bytes=integer_sort(32) is None,
        )
        log.info("%s", plan)
        if not force:
            plan.check()
        announce_compilation()
        report = progress or (lambda step, share: None)
        with naming_the_disk(Path(directory)), IndexWriter(Path(directory)) as writer:
            construct(
                tokens=tokens,
                offsets=offsets,
                vocabulary_size=vocabulary_size,
                wide_threshold=wide_threshold,
                keep=writer.add,
                progress=report,
            )
            report("saving", 0.99)
            writer.finish(
                tokens=len(tokens),
                passages=len(offsets) - 1,
                vocabulary_size=vocabulary_size,
                wide_threshold=wide_threshold,
            )
        report("done", 1.0)
        return cls.open(directory)

    @classmethod
    def open(cls, directory: str | Path, *, verify: bool | None = None) -> FMIndex:
        """Map a saved index into memory; it takes milliseconds at any size.

        Args:
            directory: the directory that `build` wrote.
            verify: whether to read every byte and compare the checksums. None: always for a small
                index (up to 20 ms); for a large one only if this machine has not verified these
                very files before, as after a copy (about a second per GB). False trusts the disk:
                a search of a damaged index may crash the process.

        Raises:
            IndexFormatError: missing, foreign, of another version, truncated, or damaged.
        """
        announce_compilation()
        return cls(read_index(directory=Path(directory), verify=verify))

    @property
    def n_tokens(self) -> int:
        """N, tokens in the corpus."""
        return len(self.arrays.text)

    @property
    def n_passages(self) -> int:
        """P, passages in the corpus."""
        return len(self.arrays.passage_offsets) - 1

    @property
    def vocabulary_size(self) -> int:
        """V, number of token ids."""
        return len(self.arrays.first) - 2

    @property
    def root(self) -> tuple[int, int]:
        """The interval of the empty key: all N + 1 rows, that of the terminator included."""
        return 0, len(self.arrays.bwt)

    def extend(
        self, lo: ArrayLike, hi: ArrayLike, tokens: ArrayLike
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """lo, hi [n] of n keys, each extended by its own token [n]; lo == hi: no occurrence."""
        return batch.extend_many(self.arrays, _rows(lo), _rows(hi), _tokens(tokens))

    def interval(self, tokens: ArrayLike) -> tuple[int, int]:
        """The interval [lo, hi) of one key; lo == hi if it does not occur."""
        key = _tokens(tokens)
        lo, hi = self.intervals(np.array([0, len(key)]), key)
        return int(lo[0]), int(hi[0])

    def intervals(
        self, token_offsets: ArrayLike, flat_tokens: ArrayLike
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """lo, hi [n] of n keys; key i is ``flat_tokens[token_offsets[i]:token_offsets[i + 1]]``."""
        return batch.intervals_of(self.arrays, _rows(token_offsets), _tokens(flat_tokens))

    def allowed(
        self, lo: ArrayLike, hi: ArrayLike
    ) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
        """The distinct tokens that follow each key in the corpus.

        Returns:
            CSR: (offsets [n + 1], tokens ascending within a key, how often each token follows).
        """
        return batch.allowed_many(self.arrays, _rows(lo), _rows(hi))

    def locate(
        self, lo: ArrayLike, hi: ArrayLike, lengths: ArrayLike
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The positions of each key's occurrences.

        Args:
            lo, hi: [n] intervals.
            lengths: [n] tokens of each key.

        Returns:
            CSR: (offsets [n + 1], positions of the keys' first tokens in the forward text, in row
            order, not ascending).
        """
        return batch.locate_many(self.arrays, _rows(lo), _rows(hi), _rows(lengths))

    def passage_of(self, positions: ArrayLike) -> NDArray[np.int32]:
        """[n] the passages that hold these positions of the text.

        Raises:
            IndexError: a position outside the text.
        """
        wanted = _rows(positions)
        if len(wanted) and not 0 <= wanted.min() <= wanted.max() < self.n_tokens:
            raise IndexError(
                f"positions {wanted.min()} to {wanted.max()}: expected 0 to {self.n_tokens - 1}"
            )
        return batch.passages_of(self.arrays, wanted)

    def passage_tokens(self, passage: int) -> NDArray[np.int32]:
        """The token ids of one passage, markers included.

        Raises:
            IndexError: no such passage.
        """
        if not 0 <= passage < self.n_passages:
            raise IndexError(f"passage {passage}: expected 0 to {self.n_passages - 1}")
        begin, end = self.arrays.passage_offsets[passage : passage + 2]
        return self.arrays.text[begin:end].astype(np.int32)


def announce_compilation() -> None:
    """Log a line if numba has to compile the kernels first, because the wait looks like a hang."""
    if must_compile(batch.extend_many):
        log.info("compiling index kernels (first run only)...")


def _rows(values: ArrayLike) -> NDArray[np.int64]:
    """As int64, writable and contiguous: numba compiles again for any other type of array."""
    return np.require(values, np.int64, ["C", "W"])


def _tokens(values: ArrayLike) -> NDArray[np.int32]:
    return np.require(values, np.int32, ["C", "W"])
