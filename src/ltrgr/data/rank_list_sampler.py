"""Builds stage-2 batches: mined rank lists, cut down to the passages that the objective uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ltrgr.data.identifier_batch import IdentifierBatch
from ltrgr.data.rank_list_batch import RankListBatch
from ltrgr.data.sequences import share_prefixes
from ltrgr.data.target_sampler import TargetSampler
from ltrgr.identifiers.tokenised import TokenisedQuestions
from ltrgr.identifiers.vocabulary import Vocabulary
from ltrgr.retrieval.mined import MinedLists
from ltrgr.scoring.perturbation import perturbation
from ltrgr.scoring.scoring_settings import ScoringSettings

Select = Callable[..., Mapping[str, Tensor]]
"""``Objective.select``: (scores, relevance, mask [B, P], generator) -> name -> bool [B, P]"""


class _Selected(NamedTuple):
    """The passages of B lists that some term of the objective uses, first in every row."""

    order: NDArray[np.int64]
    """[B, P'] their places in the mined lists; P' is the most of any list, at least 1"""
    needed: NDArray[np.bool_]
    """[B, P'] False where a row has fewer than P'"""
    chosen: dict[str, Tensor]
    """term -> bool [B, P']"""


class RankListSampler:
    """Builds stage-2 batches from mined lists.

    Args:
        scoring: the settings that the lists were mined with.
        select: the objective's choice of passages; it sees the mined scores.
        teachers: name -> [Q, P] scores of the mined lists by another model.
        targets: draws L_gen's pairs; ``targets_per_question`` each, 0 for none.
    """

    def __init__(
        self,
        *,
        mined: MinedLists,
        vocabulary: Vocabulary,
        questions: TokenisedQuestions,
        select: Select,
        scoring: ScoringSettings,
        targets: TargetSampler,
        targets_per_question: int,
        max_question_length: int,
        teachers: Mapping[str, NDArray[np.float64]] | None = None,
    ) -> None:
        self._teachers = teachers or {}
        self.mined, self._vocabulary, self._questions = mined, vocabulary, questions
        self._select, self._targets, self._each = select, targets, targets_per_question
        self._max_question_length = max_question_length
        self._scoring = scoring
        self._factor = perturbation(mined.keys.tokens, mined.keys.token_offsets, settings=scoring)
        self._begins = np.asarray([v.begin is not None for v in vocabulary.family.views.values()])

    def over(self, mined: MinedLists) -> RankListSampler:
        """The same on other lists; without teachers, whose scores belong to the first ones."""
        other = copy(self)
        other.mined, other._teachers, keys = mined, {}, mined.keys
        other._factor = perturbation(keys.tokens, keys.token_offsets, settings=self._scoring)
        return other

    def batch(self, rows: NDArray[np.int64], generator: np.random.Generator) -> RankListBatch:
        """The batch of the mined lists ``rows`` [B]: n distinct keys, S decoder sequences."""
        lists, keys = self.mined, self.mined.keys
        uniforms = torch.Generator().manual_seed(int(generator.integers(2**62)))
        order, needed, chosen = self._selected(rows, uniforms)  # [B, P']
        place = (rows[:, None], order)
        used, key_index = self._used_keys(rows, lists.key_index[place], needed)  # [n], [B, P', K]

        # Keys that are a prefix of another key of the same question and view share its sequence.
        n_views = len(self._begins)
        asked = np.searchsorted(keys.question_offsets, used, side="right") - 1  # [n] row of mined
        labels, sequence, length, prompt = share_prefixes(  # [S, T], [n], [n], [S]
            tokens=keys.tokens,
            start=keys.token_offsets[used] + self._begins[keys.view[used]],
            stop=keys.token_offsets[used + 1],
            group=asked * n_views + keys.view[used],
        )
        groups, sequence_prompt = np.unique(prompt, return_inverse=True)  # [E], [S]
        ids, mask = self._prompts(lists.question[groups // n_views], groups % n_views)  # [E, L]
        return RankListBatch(
            prompt_ids=torch.from_numpy(ids),
            prompt_mask=torch.from_numpy(mask),
            sequence_prompt=torch.from_numpy(sequence_prompt),
            labels=torch.from_numpy(labels),
            key_sequence=torch.from_numpy(sequence),
            key_length=torch.from_numpy(length),
            key_count=torch.from_numpy((keys.hi[used] - keys.lo[used]).sum(axis=1)),
            key_view=torch.from_numpy(keys.view[used].astype(np.int64)),
            key_factor=torch.from_numpy(self._factor[used]),
            key_index=torch.from_numpy(key_index),
            coverage=torch.from_numpy(lists.coverage[place]),
            mined_score=torch.from_numpy(lists.score[place]),
            teacher={name: torch.from_numpy(t[place]) for name, t in self._teachers.items()},
            relevance=torch.from_numpy(lists.relevance[place]),
            chosen=chosen,
            generation=self._generation(lists.question[rows], generator),
        )

    def _selected(self, rows: NDArray[np.int64], uniforms: torch.Generator) -> _Selected:
        lists = self.mined
        chosen = self._select(  # name -> [B, P]
            torch.from_numpy(lists.score[rows]),
            torch.from_numpy(lists.relevance[rows]),
            torch.from_numpy(lists.mask[rows]),
            generator=uniforms,
        )
        needed = torch.stack(list(chosen.values())).any(0).numpy() if chosen else lists.mask[rows]
        widest = max(1, needed.sum(axis=1).max())  # P'
        order = np.argsort(~needed, axis=1, kind="stable")[:, :widest]
        picked = torch.from_numpy(order)
        return _Selected(
            order=order,
            needed=np.take_along_axis(needed, order, axis=1),
            chosen={name: mask.gather(1, picked) for name, mask in chosen.items()},
        )

    def _used_keys(
        self, rows: NDArray[np.int64], local: NDArray[np.int32], needed: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The distinct keys [n] that the needed passages count, as rows of ``mined.keys``, and
        each passage's keys as indices into them [B, P', K], -1 at padding.

        Args:
            local: [B, P', K] keys of each passage, counted from the question's first key.
        """
        local = np.where(needed[:, :, None], local, -1)
        first = self.mined.keys.question_offsets[rows]  # [B]
        used, position = np.unique((first[:, None, None] + local)[local >= 0], return_inverse=True)
        key_index = np.full(local.shape, -1, dtype=np.int64)
        key_index[local >= 0] = position
        return used, key_index

    def _generation(
        self, questions: NDArray[np.int64], generator: np.random.Generator
    ) -> IdentifierBatch | None:
        if not self._each:
            return None
        return self._targets.batch_for_questions(questions, each=self._each, generator=generator)

    def _prompts(
        self, questions: NDArray[np.int64], views: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Prompts [E, L] of E questions, each for one view, and their mask."""
        names = self._vocabulary.family.names
        offsets, tokens = self._questions.offsets, self._questions.tokens
        return self._vocabulary.pad(
            [
                self._vocabulary.prompt(
                    tokens[offsets[q] : offsets[q + 1]],
                    names[view],
                    longest=self._max_question_length,
                )
                for q, view in zip(questions, views, strict=True)
            ]
        )
