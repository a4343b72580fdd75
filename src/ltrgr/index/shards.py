"""An index of one or more shards, searched as one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ltrgr.csr import csr_offsets, csr_owners
from ltrgr.errors import IndexFormatError
from ltrgr.index.arrays import WIDE_THRESHOLD, IndexArrays
from ltrgr.index.construction import Progress
from ltrgr.index.fm_index import FMIndex
from ltrgr.index.manifest import GO_ON, MANIFEST, read_manifest, shard_directory
from ltrgr.index.sharding import build_shards
from ltrgr.index.storage import HEADER

Rows = NDArray[np.int64]


class Shards:
    """S >= 1 `FMIndex` over consecutive passages; positions and passages are those of the corpus.

    The state of a key is one row interval in each shard: lo, hi [n, S]. The key occurs
    ``sum(hi - lo)`` times; the tokens that follow it are the union over the shards. For a key
    inside a passage, all results equal those of a single index. Only two counts differ: that of a
    key that crosses the end of a shard, and that of the empty key (N + S rows).

    Raises:
        IndexFormatError: no shard, or shards of different vocabulary sizes.
    """

    def __init__(self, shards: Sequence[FMIndex]) -> None:
        sizes = sorted({shard.vocabulary_size for shard in shards})
        if len(sizes) != 1:
            raise IndexFormatError(
                f"shards of vocabulary sizes {sizes}: expected at least one shard, and one size; "
                "build them together with `ltrgr index`"
            )
        self.shards = tuple(shards)
        self.first_token = csr_offsets([shard.n_tokens for shard in shards])
        """[S + 1] the first token of each shard, and N."""
        self.first_passage = csr_offsets([shard.n_passages for shard in shards])
        """[S + 1] the first passage of each shard, and P."""

    @classmethod
    def build(
        cls,
        *,
        tokens: NDArray[Any],
        offsets: NDArray[Any],
        vocabulary_size: int,
        directory: str | Path,
        shard_tokens: int | None = None,
        wide_threshold: int = WIDE_THRESHOLD,
        progress: Progress | None = None,
        force: bool = False,
    ) -> Shards:
        """Build the shards of a corpus one after the other, save them and open them.

        An undamaged shard of the same passages in ``directory`` is kept, so a killed build
        continues with the first missing shard.

        Args:
            tokens: [N] token ids of all passages; may be memory-mapped, since it is never copied as
                a whole.
            offsets: [P + 1] begin of each passage in ``tokens``; the last entry is N.
            vocabulary_size: V, ids that the corpus never uses included.
            directory: of the index if there is one shard, else of the shards.
            shard_tokens: most tokens of a shard; None: one shard. Cuts are between passages, and a
                longer passage has its own shard. The memory is that of `FMIndex.build` for a shard.
            wide_threshold: as in `FMIndex.build`.
            progress: called with the current step and the fraction already done.
            force: build even if memory or disk will not suffice.

        Raises:
            IndexFormatError: `FMIndex.build` refuses the corpus, or the directory holds something
                else.
            BuildTooLargeError, DiskFullError: as in `FMIndex.build`.
        """
        build_shards(
            tokens=tokens,
            offsets=offsets,
            vocabulary_size=vocabulary_size,
            directory=Path(directory),
            shard_tokens=shard_tokens,
            wide_threshold=wide_threshold,
            progress=progress,
            force=force,
        )
        return cls.open(directory)

    @classmethod
    def open(cls, directory: str | Path, *, verify: bool | None = None) -> Shards:
        """Map a saved index into memory, sharded or not.

        Raises:
            IndexFormatError: missing, unfinished, foreign, mixed, truncated, or damaged.
        """
        directory = Path(directory)
        if (directory / MANIFEST).is_file():
            shards = read_manifest(directory)
        elif shard_directory(directory, 0).exists() and not (directory / HEADER).exists():
            raise IndexFormatError(f"the build of {directory} was not finished: {GO_ON}")
        else:
            shards = [directory]
        return cls([FMIndex.open(shard, verify=verify) for shard in shards])

    def __len__(self) -> int:
        return len(self.shards)

    @property
    def arrays(self) -> tuple[IndexArrays, ...]:
        """The arrays of each shard, for the compiled code of other rooms."""
        return tuple(shard.arrays for shard in self.shards)

    @property
    def n_tokens(self) -> int:
        """N, tokens in the corpus."""
        return int(self.first_token[-1])

    @property
    def n_passages(self) -> int:
        """P, passages in the corpus."""
        return int(self.first_passage[-1])

    @property
    def vocabulary_size(self) -> int:
        """V, number of token ids."""
        return self.shards[0].vocabulary_size

    @property
    def passage_offsets(self) -> Rows:
        """[P + 1] begin of each passage in the corpus; the last entry is N."""
        parts = [
            shard.arrays.passage_offsets[:-1] + first
            for shard, first in zip(self.shards, self.first_token[:-1], strict=True)
        ]
        return np.concatenate([*parts, self.first_token[-1:]])

    def tokens(self) -> NDArray[np.int32]:
        """[N] a copy of the whole corpus."""
        return np.concatenate([shard.arrays.text.astype(np.int32) for shard in self.shards])

    def interval(self, tokens: ArrayLike) -> tuple[Rows, Rows]:
        """The rows lo, hi [S] of one key; lo == hi in a shard without it."""
        lo, hi = np.array([shard.interval(tokens) for shard in self.shards]).T
        return lo, hi

    def intervals(self, token_offsets: ArrayLike, flat_tokens: ArrayLike) -> tuple[Rows, Rows]:
        """lo, hi [n, S]; key i is ``flat_tokens[token_offsets[i]:token_offsets[i + 1]]``."""
        found = [shard.intervals(token_offsets, flat_tokens) for shard in self.shards]
        return _columns(found)

    def extend(
        self, lo: ArrayLike, hi: ArrayLike, tokens: ArrayLike, *, depth: int | None = None
    ) -> tuple[Rows, Rows]:
        """lo, hi [n, S] of n keys, each extended by its own token [n].

        Args:
            depth: tokens of each key; other kinds of index need it, this one does not.
        """
        lo, hi = np.asarray(lo), np.asarray(hi)
        found = [shard.extend(lo[:, i], hi[:, i], tokens) for i, shard in enumerate(self.shards)]
        return _columns(found)

    def allowed(
        self, lo: ArrayLike, hi: ArrayLike
    ) -> tuple[Rows, NDArray[np.int32], NDArray[np.int64]]:
        """The distinct tokens that follow each key [n, S] in the corpus.

        Returns:
            CSR: (offsets [n + 1], tokens ascending within a key, how often each token follows).
        """
        lo, hi = np.asarray(lo), np.asarray(hi)
        found = [shard.allowed(lo[:, i], hi[:, i]) for i, shard in enumerate(self.shards)]
        key = np.concatenate([csr_owners(offsets) for offsets, _, _ in found])
        token = np.concatenate([tokens for _, tokens, _ in found])
        pairs, place = np.unique(key * self.vocabulary_size + token, return_inverse=True)
        counts = np.zeros(len(pairs), np.int64)
        np.add.at(counts, place, np.concatenate([counts for _, _, counts in found]))
        key, token = np.divmod(pairs, self.vocabulary_size)
        return csr_offsets(np.bincount(key, minlength=len(lo))), token.astype(np.int32), counts

    def token_counts(self, *, size: int) -> NDArray[np.int64]:
        """[size] occurrences of each token: the counts after the empty key, over all shards."""
        found = np.zeros(size, np.int64)
        for shard in self.shards:
            low, high = shard.root
            _, tokens, counts = shard.allowed([low], [high])
            known = tokens < size
            found[tokens[known]] += counts[known]
        return found

    def locate(self, lo: ArrayLike, hi: ArrayLike, lengths: ArrayLike) -> tuple[Rows, Rows]:
        """The positions of each key's occurrences.

        Args:
            lo, hi: [n, S] intervals.
            lengths: [n] tokens of each key.

        Returns:
            CSR: (offsets [n + 1], positions of the keys' first tokens in the corpus, shard by
            shard, in row order, not ascending).
        """
        lo, hi = np.asarray(lo), np.asarray(hi)
        found = [shard.locate(lo[:, i], hi[:, i], lengths) for i, shard in enumerate(self.shards)]
        key = np.concatenate([csr_owners(offsets) for offsets, _ in found])
        position = np.concatenate(
            [places + first for (_, places), first in zip(found, self.first_token, strict=False)]
        )
        offsets = csr_offsets(np.bincount(key, minlength=len(lo)))
        return offsets, position[np.argsort(key, kind="stable")]

    def passage_of(self, positions: ArrayLike) -> NDArray[np.int32]:
        """[n] the passages that hold these positions of the corpus.

        Raises:
            IndexError: a position outside the corpus.
        """
        wanted = np.asarray(positions, dtype=np.int64)
        if len(wanted) and not 0 <= wanted.min() <= wanted.max() < self.n_tokens:
            raise IndexError(
                f"positions {wanted.min()} to {wanted.max()}: expected 0 to {self.n_tokens - 1}"
            )
        passages = np.empty(len(wanted), np.int32)
        owner = np.searchsorted(self.first_token, wanted, side="right") - 1
        for i, shard in enumerate(self.shards):
            own = owner == i
            local = shard.passage_of(wanted[own] - self.first_token[i])
            passages[own] = local + self.first_passage[i]
        return passages

    def passage_tokens(self, passage: int) -> NDArray[np.int32]:
        """The token ids of one passage, markers included.

        Raises:
            IndexError: no such passage.
        """
        if not 0 <= passage < self.n_passages:
            raise IndexError(f"passage {passage}: expected 0 to {self.n_passages - 1}")
        owner = int(np.searchsorted(self.first_passage, passage, side="right")) - 1
        return self.shards[owner].passage_tokens(passage - int(self.first_passage[owner]))


def _columns(found: Sequence[tuple[Rows, Rows]]) -> tuple[Rows, Rows]:
    """Stack the intervals of the shards: lo, hi [n, S]."""
    return np.stack([lo for lo, _ in found], axis=1), np.stack([hi for _, hi in found], axis=1)
