"""Stage 1's data: (prompt, identifier) pairs drawn on the fly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from ltrgr.csr import csr_offsets, csr_owners
from ltrgr.identifiers.serialise import SerialisedCorpus
from ltrgr.identifiers.targets import draw_batch
from ltrgr.identifiers.tokenised import TokenisedQuestions
from ltrgr.identifiers.vocabulary import Vocabulary


@dataclass(slots=True)
class IdentifierBatch:
    """B prompts and the identifiers they shall generate."""

    prompt_ids: Tensor
    """[B, L] encoder input"""
    prompt_mask: Tensor
    """[B, L] 1 at tokens, 0 at padding"""
    labels: Tensor
    """[B, T] target tokens, -100 at padding"""

    def to(self, device: torch.device, non_blocking: bool = False) -> IdentifierBatch:
        """The same batch on another device."""
        return IdentifierBatch(
            *(
                field.to(device, non_blocking=non_blocking)
                for field in (self.prompt_ids, self.prompt_mask, self.labels)
            )
        )


class TargetSampler:
    """Draws stage-1 batches; the same (seed, step) gives the same batch.

    Args:
        span_length: tokens of a body span (SEAL: 10).
        temperature: of the spans' p ~ exp(overlap with the question / temperature).
        field_temperature: the same among the fields of one view (pseudo-queries); inf: uniform.
        unsupervised: share of pairs whose source is a span of the passage, not a question.
        max_question_length, max_target_length: in tokens; longer ones are cut. ``questions``
            are whole, so that one that is its passage's pseudo-query is known as such.

    Raises:
        ValueError: no passage has an identifier.
    """

    def __init__(
        self,
        *,
        vocabulary: Vocabulary,
        corpus: SerialisedCorpus,
        questions: TokenisedQuestions,
        span_length: int,
        temperature: float,
        field_temperature: float,
        unsupervised: float,
        max_question_length: int,
        max_target_length: int,
    ) -> None:
        family = vocabulary.family
        self._corpus = (
            corpus.tokens, corpus.offsets, corpus.field_offsets, corpus.field_view,
            corpus.field_start, corpus.field_end,
        )  # fmt: skip
        has_fields = np.diff(corpus.field_offsets) > 0
        pairs = has_fields[questions.relevant]  # the others have nothing to generate
        self._questions = (
            questions.offsets, questions.tokens, questions.pair_question[pairs],
            questions.relevant[pairs],
        )  # fmt: skip
        self._pair_offsets = csr_offsets(pairs)[questions.relevant_offsets]
        self._drawable = np.flatnonzero(has_fields)
        if not len(self._drawable):
            raise ValueError("no passage has an identifier: expected a title or a text in some")
        self._draws = np.asarray(
            [v.sampling_weight for v in family.views.values()], dtype=np.float64
        )
        self._end = np.asarray(
            [-1 if v.end is None else vocabulary.token_id(v.end) for v in family.views.values()],
            dtype=np.int64,
        )
        frames = [vocabulary.prompt_frame(name) for name in family.names]
        self._frames = (frames[0][0], np.stack([suffix for _, suffix in frames]))
        self._ordinary = inverse_document_frequency(corpus, size=len(vocabulary))
        self._settings = (
            span_length, temperature, field_temperature, unsupervised, max_question_length,
            max_target_length, vocabulary.pad_id,
        )  # fmt: skip

    @property
    def n_pairs(self) -> int:
        """Relevant (question, passage) pairs."""
        return len(self._questions[2])

    @property
    def with_pairs(self) -> NDArray[np.int64]:
        """[D] rows of the questions that have a relevant pair to draw from."""
        return np.flatnonzero(np.diff(self._pair_offsets))

    def batch(self, pairs: NDArray[np.int64], generator: np.random.Generator) -> IdentifierBatch:
        """One drawn target for each of the given pairs."""
        ids, lengths, labels = draw_batch(
            generator.random((len(pairs), 6)), pairs, self._corpus, self._questions,
            self._drawable, self._draws, self._end, self._frames, self._ordinary, *self._settings,
        )  # fmt: skip
        mask = np.arange(ids.shape[1]) < lengths[:, None]
        return IdentifierBatch(
            torch.from_numpy(ids), torch.from_numpy(mask.astype(np.int64)), torch.from_numpy(labels)
        )

    def batch_for_questions(
        self, questions: NDArray[np.int64], *, each: int, generator: np.random.Generator
    ) -> IdentifierBatch:
        """``each`` drawn targets for every given question (stage 2's L_gen)."""
        repeated = np.repeat(questions, each)
        width = np.diff(self._pair_offsets)[repeated]
        pairs = self._pair_offsets[repeated] + (generator.random(len(repeated)) * width).astype(int)
        return self.batch(pairs, generator)


def inverse_document_frequency(corpus: SerialisedCorpus, *, size: int) -> NDArray[np.float64]:
    """[V] log(P / passages that contain the token) / log P: 1 for the rarest, 0 for everywhere."""
    n_passages = len(corpus.offsets) - 1
    passage = csr_owners(corpus.offsets)
    distinct = np.unique(passage * size + corpus.tokens)
    frequency = np.bincount(distinct % size, minlength=size)
    scaled = np.log(n_passages / np.maximum(frequency, 1)) / max(np.log(n_passages), 1.0)
    return np.asarray(scaled, dtype=np.float64)


class _Steps(IterableDataset[IdentifierBatch]):
    """An endless stream of batches that can begin at any step."""

    def __init__(self, sampler: TargetSampler, *, batch_size: int, seed: int, first: int) -> None:
        self.sampler, self.batch_size, self.seed, self.first = sampler, batch_size, seed, first

    def __iter__(self) -> Iterator[IdentifierBatch]:
        step = self.first
        while True:
            generator = np.random.default_rng((self.seed, step))
            pairs = generator.integers(0, max(1, self.sampler.n_pairs), self.batch_size)
            yield self.sampler.batch(pairs, generator)
            step += 1


class IdentifierDataModule(LightningDataModule):
    """Stage-1 batches; a resumed run goes on with the batch after its last step.

    Args:
        dev: [D] rows of dev questions, for validation.
        steps_before: steps of an earlier training whose batches shall not come again.
    """

    def __init__(
        self,
        *,
        sampler: TargetSampler,
        batch_size: int,
        seed: int,
        dev: Tensor | None = None,
        steps_before: int = 0,
    ) -> None:
        super().__init__()
        self.sampler, self.batch_size, self.seed = sampler, batch_size, seed
        self.dev = torch.arange(0) if dev is None else dev
        self.steps_before = steps_before

    def train_dataloader(self) -> DataLoader[IdentifierBatch]:
        """Endless; the trainer's ``max_steps`` ends it."""
        done = self.trainer.global_step if self.trainer is not None else 0
        first = self.steps_before + done
        steps = _Steps(self.sampler, batch_size=self.batch_size, seed=self.seed, first=first)
        return DataLoader(steps, batch_size=None)

    def val_dataloader(self) -> DataLoader[Tensor]:
        """Rows of dev questions."""
        return DataLoader(self.dev, batch_size=64)  # type: ignore[arg-type]
