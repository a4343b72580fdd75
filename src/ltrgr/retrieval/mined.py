"""Mined rank lists: what stage 2 learns from, as flat arrays on disk."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ltrgr.identifiers.join import take
from ltrgr.identifiers.keys import Keys
from ltrgr.scoring.rank_lists import RankLists


@dataclass(frozen=True, slots=True, kw_only=True)
class MinedLists:
    """The rank lists of Q training questions and the keys that made them."""

    question: NDArray[np.int64]
    """[Q] position of the question in the training split"""
    passage: NDArray[np.int32]
    """[Q, P] passages, best first; -1 is padding"""
    score: NDArray[np.float64]
    """[Q, P] search scores; -inf is padding"""
    relevance: NDArray[np.bool_]
    """[Q, P] True for relevant passages"""
    member: NDArray[np.int32]
    """[Q, P, K] counted keys, numbered from the question's first key; -1 is padding"""
    cover: NDArray[np.float32]
    """[Q, P, K] share of its weight that each key counts with"""
    keys: Keys

    def __len__(self) -> int:
        return len(self.question)

    @property
    def mask(self) -> NDArray[np.bool_]:
        """[Q, P] True where a passage stands."""
        return self.passage >= 0

    @property
    def teaches(self) -> NDArray[np.bool_]:
        """[Q] True for lists with at least one relevant and one irrelevant passage."""
        relevant = self.relevance & self.mask
        found = self.mask.sum(axis=1)
        n_relevant = relevant.sum(axis=1)
        return np.asarray((n_relevant > 0) & (n_relevant < found))

    def save(self, directory: Path) -> None:
        """One .npy file an array."""
        for name in _LISTS:
            np.save(directory / f"{name}.npy", getattr(self, name))
        for field in fields(Keys):
            np.save(directory / f"keys_{field.name}.npy", getattr(self.keys, field.name))

    @classmethod
    def load(cls, directory: Path) -> MinedLists:
        """Memory-mapped; nothing is read before it is used."""
        lists = {name: np.load(directory / f"{name}.npy", mmap_mode="r") for name in _LISTS}
        keys = {
            field.name: np.load(directory / f"keys_{field.name}.npy", mmap_mode="r")
            for field in fields(Keys)
        }
        for name in ("lo", "hi"):
            if keys[name].ndim == 1:  # mined before there were shards
                keys[name] = keys[name][:, None]
        return cls(**lists, keys=Keys(**keys))


_LISTS = ("question", "passage", "score", "relevance", "member", "cover")


def trim(keys: Keys, lists: RankLists) -> tuple[Keys, NDArray[np.int32]]:
    """Keep only the keys that some listed passage counts; renumbers [B, P, K] members."""
    members = lists.members(keys.question_offsets)
    used = np.unique(members[members >= 0])
    kept = take(keys, used, keys.question[used], questions=len(keys.question_offsets) - 1)
    number = np.zeros(len(keys.lo) + 1, dtype=np.int64)
    number[used] = np.arange(len(used))
    renumbered = number[members] - kept.question_offsets[:-1, None, None]
    return kept, np.where(members >= 0, renumbered, -1).astype(np.int32)
