"""Mined rank lists, the training data of stage 2, as flat arrays on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltrgr.csr import csr_ranges
from ltrgr.identifiers.join import stack, take
from ltrgr.identifiers.keys import Keys
from ltrgr.json_file import file_error
from ltrgr.retrieval.mined_check import MinedListsError, fault_of
from ltrgr.scoring.rank_lists import RankLists
from ltrgr.terminal import one_line


@dataclass(frozen=True, slots=True, kw_only=True)
class MinedLists:
    """The rank lists of Q training questions and their keys, counted ones only."""

    question: NDArray[np.int64]
    """[Q] position of the question in the training split"""
    passage: NDArray[np.int32]
    """[Q, P] passages, best first; -1 is padding"""
    score: NDArray[np.float64]
    """[Q, P] search scores; -inf is padding"""
    relevance: NDArray[np.bool_]
    """[Q, P] True for relevant passages"""
    key_index: NDArray[np.int32]
    """[Q, P, K] counted keys, numbered from the question's first key; -1 is padding"""
    coverage: NDArray[np.float32]
    """[Q, P, K] coverage of each counted key; 0 is padding"""
    keys: Keys
    """of the Q questions, in the order of ``question``"""

    def __len__(self) -> int:
        return len(self.question)

    @property
    def mask(self) -> NDArray[np.bool_]:
        """[Q, P] True for passages, False for padding."""
        return self.passage >= 0

    @property
    def has_both_labels(self) -> NDArray[np.bool_]:
        """[Q] True for lists with a contrast: at least one relevant and one irrelevant passage."""
        relevant = self.relevance & self.mask
        found = self.mask.sum(axis=1)
        n_relevant = relevant.sum(axis=1)
        return np.asarray((n_relevant > 0) & (n_relevant < found))

    def of(self, rows: NDArray[np.int64]) -> MinedLists:
        """Select the lists ``rows`` [R], in that order, with their keys."""
        offsets = self.keys.question_offsets
        widths = np.diff(offsets)[rows]
        chosen = csr_ranges(offsets[rows], widths)
        owner = np.repeat(np.arange(len(rows)), widths)
        lists = {name: getattr(self, name)[rows] for name in _LISTS}
        return MinedLists(**lists, keys=take(self.keys, chosen, owner, questions=len(rows)))

    def followed_by(self, other: MinedLists) -> MinedLists:
        """Concatenate with ``other``, whose lists have the same length P."""
        lists = {n: joined([getattr(self, n), getattr(other, n)], fill=_FILL[n]) for n in _LISTS}
        return MinedLists(**lists, keys=stack([self.keys, other.keys]))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """name -> array; the arrays of the keys are named ``keys_<name>``."""
        keys = {f"{_KEYS}{field.name}": getattr(self.keys, field.name) for field in fields(Keys)}
        return {name: getattr(self, name) for name in _LISTS} | keys

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> MinedLists:
        """The inverse of ``arrays``."""
        keys = {field.name: arrays[f"{_KEYS}{field.name}"] for field in fields(Keys)}
        return cls(**{name: arrays[name] for name in _LISTS}, keys=Keys(**keys))

    def save(self, directory: Path) -> None:
        """Write one .npy file per array."""
        for name, array in self.arrays().items():
            np.save(directory / f"{name}.npy", array)

    @classmethod
    def load(
        cls, directory: Path, *, passages: int | None = None, questions: int | None = None
    ) -> MinedLists:
        """Memory-map the arrays that ``save`` wrote, and look at each once for what cannot be.

        Args:
            passages, questions: of the corpus and its training split, which the lists name.

        Raises:
            MinedListsError: an array is damaged or out of range; says which.
            MissingFileError, UnreadableFileError: one is not there, or cannot be read.
        """
        cure = f"remove {directory} and mine again with: ltrgr mine"
        names = [*_LISTS, *(f"{_KEYS}{field.name}" for field in fields(Keys))]
        lists = cls.of_arrays({n: _array(directory / f"{n}.npy", cure=cure) for n in names})
        if fault := fault_of(lists, passages=passages, questions=questions):
            raise MinedListsError(f"the rank lists in {directory} are damaged: {fault}; {cure}")
        return lists


_FILL = {
    "question": 0,
    "passage": -1,
    "score": -np.inf,
    "relevance": 0,
    "key_index": -1,
    "coverage": 0,
}
"""name of an array -> its padding"""
_LISTS = tuple(_FILL)
_KEYS = "keys_"


def _array(path: Path, *, cure: str) -> NDArray[Any]:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise MinedListsError(f"{path} is no array ({one_line(error)}); {cure}") from error
    except OSError as error:
        raise file_error(path, error, cure=cure) from error


def joined(parts: Sequence[NDArray[Any]], *, fill: float) -> NDArray[Any]:
    """Concatenate batches; pad the last axis [.., K] of each with ``fill`` to the widest.

    Without ``scoring.keys_per_passage``, each batch is as wide as the most keys of a passage.
    """
    if parts[0].ndim < 3:
        return np.concatenate(parts)
    width = max(part.shape[-1] for part in parts)
    rows = [(0, 0)] * (parts[0].ndim - 1)
    padded = [
        np.pad(part, [*rows, (0, width - part.shape[-1])], constant_values=fill) for part in parts
    ]
    return np.concatenate(padded)


def trim(keys: Keys, lists: RankLists) -> tuple[Keys, NDArray[np.int32]]:
    """Keep only the keys that some listed passage counts.

    Returns:
        The kept keys, and the counted keys [B, P, K] with their new numbers, -1 for padding.
    """
    members = lists.members(keys.question_offsets)
    used = np.unique(members[members >= 0])
    kept = take(keys, used, keys.question[used], questions=len(keys.question_offsets) - 1)
    number = np.zeros(len(keys.lo) + 1, dtype=np.int64)
    number[used] = np.arange(len(used))
    renumbered = number[members] - kept.question_offsets[:-1, None, None]
    return kept, np.where(members >= 0, renumbered, -1).astype(np.int32)
