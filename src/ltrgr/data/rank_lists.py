"""Stage 2's data: mined rank lists, narrowed to what the objective looks at."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, fields
from itertools import count
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from ltrgr.data.identifier_pairs import IdentifierBatch, TargetSampler
from ltrgr.data.order import Order
from ltrgr.data.remining import Period, Remining, mine_period
from ltrgr.data.sequences import share_prefixes
from ltrgr.identifiers.tokenised import TokenisedQuestions
from ltrgr.identifiers.vocabulary import Vocabulary
from ltrgr.retrieval.mined import MinedLists
from ltrgr.scoring.perturbation import perturbation
from ltrgr.scoring.scoring_settings import ScoringSettings

log = logging.getLogger("ltrgr")

Select = Callable[..., Mapping[str, Tensor]]
"""``Objective.select``: (scores, relevance, mask [B, P], generator) -> name -> bool [B, P]"""


@dataclass(slots=True, kw_only=True)
class RankListBatch:
    """B questions' rank lists with n distinct keys, each scored by one decoder sequence."""

    prompt_ids: Tensor
    """[E, L] one prompt per (question, view) that some key needs"""
    prompt_mask: Tensor
    """[E, L]"""
    sequence_prompt: Tensor
    """[S] the prompt of each decoder sequence"""
    labels: Tensor
    """[S, T] decoder sequences, -100 at padding; a key is a prefix of one"""
    key_sequence: Tensor
    """[n] the sequence that holds the key"""
    key_length: Tensor
    """[n] the key's tokens in that sequence"""
    key_count: Tensor
    """[n] occurrences in the corpus"""
    key_view: Tensor
    """[n] view number"""
    key_factor: Tensor
    """[n] perturbation of the key's weight, 1 where there is none"""
    key_index: Tensor
    """[B, P, K] counted keys of each passage, -1 is padding"""
    coverage: Tensor
    """[B, P, K]"""
    mined_score: Tensor
    """[B, P] the score that search gave"""
    teacher: dict[str, Tensor]
    """name -> [B, P] somebody else's scores, on the scale of the mined ones"""
    relevance: Tensor
    """[B, P] bool"""
    chosen: dict[str, Tensor]
    """objective term -> bool [B, P], the passages it looks at"""
    generation: IdentifierBatch | None
    """targets of the same questions, for L_gen"""

    def to(self, device: torch.device, non_blocking: bool = False) -> RankListBatch:
        """The same batch on another device."""

        def move(value: Any) -> Any:
            if isinstance(value, dict):
                return {name: move(item) for name, item in value.items()}
            return value if value is None else value.to(device, non_blocking=non_blocking)

        return RankListBatch(**{f.name: move(getattr(self, f.name)) for f in fields(self)})


class RankListSampler:
    """Builds stage-2 batches from mined lists.

    Args:
        scoring: as the lists were mined with.
        select: the objective's choice of passages; it sees the mined scores.
        teachers: name -> [Q, P] scores of the mined lists by somebody else.
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
        self._longest = max_question_length
        self._scoring = scoring
        self._factor = perturbation(mined.keys.tokens, mined.keys.token_offsets, settings=scoring)
        self._begins = np.asarray([v.begin is not None for v in vocabulary.family.views.values()])

    def over(self, mined: MinedLists) -> RankListSampler:
        """The same on other lists; without teachers, whose scores belong to these."""
        other = copy(self)
        other.mined, other._teachers, keys = mined, {}, mined.keys
        other._factor = perturbation(keys.tokens, keys.token_offsets, settings=self._scoring)
        return other

    def batch(self, rows: NDArray[np.int64], generator: np.random.Generator) -> RankListBatch:
        """The batch of the given mined lists."""
        lists, keys = self.mined, self.mined.keys
        uniforms = torch.Generator().manual_seed(int(generator.integers(2**62)))
        chosen = self._select(
            torch.from_numpy(lists.score[rows]),
            torch.from_numpy(lists.relevance[rows]),
            torch.from_numpy(lists.mask[rows]),
            generator=uniforms,
        )
        needed = torch.stack(list(chosen.values())).any(0).numpy() if chosen else lists.mask[rows]
        order = np.argsort(~needed, axis=1, kind="stable")[:, : max(1, needed.sum(1).max())]
        row = rows[:, None]
        kept = np.take_along_axis(needed, order, axis=1)
        local = np.where(kept[:, :, None], lists.key_index[row, order], -1)
        used, position = np.unique(
            (keys.question_offsets[rows][:, None, None] + local)[local >= 0], return_inverse=True
        )
        key_index = np.full(local.shape, -1, dtype=np.int64)
        key_index[local >= 0] = position
        questions = lists.question[rows]
        asked = np.searchsorted(keys.question_offsets, used, side="right") - 1
        labels, sequence, length, prompt = share_prefixes(
            tokens=keys.tokens,
            start=keys.token_offsets[used] + self._begins[keys.view[used]],
            stop=keys.token_offsets[used + 1],
            group=asked * len(self._begins) + keys.view[used],
        )
        groups, sequence_prompt = np.unique(prompt, return_inverse=True)
        ids, mask = self._prompts(lists.question[groups // len(self._begins)], groups)
        picked = torch.from_numpy(order)
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
            coverage=torch.from_numpy(lists.coverage[row, order]),
            mined_score=torch.from_numpy(lists.score[row, order]),
            teacher={n: torch.from_numpy(t[row, order]) for n, t in self._teachers.items()},
            relevance=torch.from_numpy(lists.relevance[row, order]),
            chosen={name: mask.gather(1, picked) for name, mask in chosen.items()},
            generation=self._targets.batch_for_questions(
                questions, each=self._each, generator=generator
            )
            if self._each
            else None,
        )

    def _prompts(
        self, questions: NDArray[np.int64], groups: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        names = self._vocabulary.family.names
        offsets, tokens = self._questions.offsets, self._questions.tokens
        return self._vocabulary.pad(
            [
                self._vocabulary.prompt(
                    tokens[offsets[q] : offsets[q + 1]],
                    names[int(group) % len(names)],
                    longest=self._longest,
                )
                for q, group in zip(questions, groups, strict=True)
            ]
        )


class _Steps(IterableDataset[Any]):
    """An endless stream that can begin at any step: what ``of`` makes of each."""

    def __init__(self, of: Callable[[int], Any], *, first: int) -> None:
        self.of, self.first = of, first

    def __iter__(self) -> Iterator[Any]:
        return map(self.of, count(self.first))


class RankLists(LightningDataModule):
    """Stage-2 batches and the dev questions that choose the checkpoint.

    Args:
        again: mines new lists during training; None: the lists stay as they were mined first.
    """

    def __init__(
        self,
        *,
        sampler: RankListSampler,
        batch_size: int,
        dev: Tensor,
        seed: int,
        again: Remining | None = None,
    ) -> None:
        super().__init__()
        self.sampler, self.batch_size, self.dev = sampler, batch_size, dev
        self.seed, self.again = seed, again
        self._period: Period | None = None
        self._renewed = sampler

    def train_dataloader(self) -> DataLoader[Any]:
        """Endless; the trainer's ``max_steps`` ends it. A resumed run goes on where it was."""
        first = self.trainer.global_step if self.trainer is not None else 0
        self._order = Order(self.sampler.mined, batch_size=self.batch_size, seed=self.seed)
        # The trainer fetches ahead, before the model is what it will be: then only the number.
        steps = _Steps(int if self.again else self._batch_mined_once, first=first)
        return DataLoader(steps, batch_size=None)

    def on_before_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Where lists are re-mined, a step's batch is built when the step begins."""
        return self._batch_of_now(batch) if isinstance(batch, int) else batch

    def state_dict(self) -> dict[str, Any]:
        """The lists of the period, for an exact resume: their model is gone."""
        return {} if self._period is None else {"period": self._period.state()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the lists of ``state_dict``."""
        self._take(Period.of_state(state_dict["period"]))

    def _batch_mined_once(self, step: int) -> RankListBatch:
        return self.sampler.batch(*self._order.at(step))

    def _batch_of_now(self, step: int) -> RankListBatch:
        assert self.again is not None
        first = step - step % self.again.every
        if first == 0:  # the model that mined them has only begun to change
            return self._batch_mined_once(step)
        if self._period is None or self._period.first != first:
            self._take(self._mine_again(first, self.again))
        assert self._period is not None
        rows, generator = self._order.at(step)
        return self._renewed.batch(np.searchsorted(self._period.rows, rows), generator)

    def _take(self, period: Period) -> None:
        self._period, self._renewed = period, self.sampler.over(period.lists)

    def _mine_again(self, first: int, again: Remining) -> Period:
        assert self.trainer is not None
        steps = range(first, min(first + again.every, self.trainer.max_steps))
        seen = np.concatenate([self._order.at(step)[0] for step in steps])
        start = time.perf_counter()
        period, mined = mine_period(self.sampler.mined, seen, first=first, again=again)
        seconds = time.perf_counter() - start
        speed = mined / seconds
        message = "step %d: mined %d questions again in %.1f s, %.0f questions/s"
        log.info(message, first, mined, seconds, speed)
        for logger in self.trainer.loggers:
            logger.log_metrics(
                {
                    "remining/questions": mined,
                    "remining/seconds": seconds,
                    "remining/questions_per_second": speed,
                },
                step=first,
            )
        return period

    def val_dataloader(self) -> DataLoader[Tensor]:
        """Positions of dev questions."""
        return DataLoader(self.dev, batch_size=64)  # type: ignore[arg-type]
