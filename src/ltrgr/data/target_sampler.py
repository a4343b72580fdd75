"""Draws the training targets of stage 1, and those of L_gen in stage 2."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from ltrgr.csr import csr_offsets, csr_owners
from ltrgr.data.identifier_batch import IdentifierBatch
from ltrgr.identifiers.serialise import SerialisedCorpus
from ltrgr.identifiers.targets import PassageFields, QuestionPairs, TargetRules, draw_batch
from ltrgr.identifiers.tokenised import TokenisedQuestions
from ltrgr.identifiers.vocabulary import Vocabulary


class TargetSampler:
    """Draws stage-1 batches; the same (seed, step) gives the same batch.

    Args:
        span_length: tokens of a body span (SEAL: 10).
        temperature: of the spans' p ~ exp(overlap with the question / temperature).
        field_temperature: the same among the fields of one view (pseudo-queries); inf: uniform.
        unsupervised: ratio of pairs whose source is a span of the passage, not a question.
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
        views = vocabulary.family.views.values()
        has_fields = np.diff(corpus.field_offsets) > 0  # [P]
        if not has_fields.any():
            raise ValueError("no passage has an identifier: expected a title or a text in some")
        drawable = has_fields[questions.relevant]  # a passage without fields has no target
        self._fields = PassageFields(
            tokens=corpus.tokens,
            offsets=corpus.field_offsets,
            view_number=corpus.field_view,
            start=corpus.field_start,
            end=corpus.field_end,
            with_fields=np.flatnonzero(has_fields),
        )
        self._pairs = QuestionPairs(
            offsets=questions.offsets,
            tokens=questions.tokens,
            question=questions.pair_question[drawable],
            passage=questions.relevant[drawable],
        )
        self._pair_offsets = csr_offsets(drawable)[questions.relevant_offsets]
        frames = [vocabulary.prompt_frame(name) for name in vocabulary.family.names]
        self._rules = TargetRules(
            sampling_weight=np.asarray([v.sampling_weight for v in views], dtype=np.float64),
            view_end=np.asarray(
                [-1 if v.end is None else vocabulary.token_id(v.end) for v in views], dtype=np.int64
            ),
            prompt_prefix=frames[0][0],
            prompt_suffix=np.stack([suffix for _, suffix in frames]),
            idf=inverse_document_frequency(corpus, size=len(vocabulary)),
            span_length=span_length,
            temperature=float(temperature),
            field_temperature=float(field_temperature),
            unsupervised=float(unsupervised),
            max_question_length=max_question_length,
            max_target_length=max_target_length,
            pad_id=vocabulary.pad_id,
        )

    @property
    def n_pairs(self) -> int:
        """Relevant (question, passage) pairs."""
        return len(self._pairs.question)

    @property
    def with_pairs(self) -> NDArray[np.int64]:
        """[D] rows of the questions that have a relevant pair to draw from."""
        return np.flatnonzero(np.diff(self._pair_offsets))

    def batch(self, pairs: NDArray[np.int64], generator: np.random.Generator) -> IdentifierBatch:
        """One drawn target for each of the given pairs [B]."""
        uniforms = generator.random((len(pairs), 6))  # [B, 6]
        ids, lengths, labels = draw_batch(uniforms, pairs, self._fields, self._pairs, self._rules)
        mask = np.arange(ids.shape[1]) < lengths[:, None]  # [B, L]
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
