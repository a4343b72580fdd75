"""Stage "mine": the stage-1 model's rank lists for training questions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ltrgr.corpus.records import Corpus
from ltrgr.csr import csr_offsets, csr_owners, csr_ranges
from ltrgr.identifiers.join import stack
from ltrgr.identifiers.own_queries import own_query_ranges
from ltrgr.identifiers.tokenised import TokenisedQuestions, tokenise_questions
from ltrgr.pipeline.artefact import Artefact
from ltrgr.pipeline.describe import describe
from ltrgr.pipeline.index_stage import open_serialised
from ltrgr.pipeline.progress import watch
from ltrgr.pipeline.seeding import seed_everything
from ltrgr.pipeline.settings import ComputeSettings, MineSettings
from ltrgr.retrieval.mined import MinedLists, joined, trim
from ltrgr.retrieval.retriever import Ranges, Retriever


def mine_artefact(
    *,
    root: Path,
    pretrained: Artefact,
    corpus: Corpus,
    search: dict[str, object],
    settings: MineSettings,
) -> Artefact:
    """What identifies mined lists: the model, the search settings, the questions."""
    return Artefact(
        root=root,
        stage="mine",
        inputs={
            "model": pretrained.fingerprint,
            "corpus": corpus.checksum,
            "search": search,
            "settings": describe(settings),
        },
    )


def mine(
    directory: Path,
    *,
    retriever: Retriever,
    corpus: Corpus,
    settings: MineSettings,
    compute: ComputeSettings,
) -> None:
    """Search with training questions and keep the lists with the keys that made them."""
    seed_everything(settings.seed, compute=compute)
    miner = Miner.over(retriever, corpus, passages=settings.passages)
    chosen = _choose(len(corpus.train.queries), settings)
    miner(retriever, chosen, shown=compute.progress).save(directory)


@dataclass(frozen=True, kw_only=True)
class Miner:
    """Mines rank lists of a corpus's training questions."""

    corpus: Corpus
    questions: TokenisedQuestions
    """the training split"""
    own: Ranges
    """where each training question stands in the corpus itself: left out"""
    passages: int
    """length of a list"""

    @classmethod
    def over(cls, retriever: Retriever, corpus: Corpus, *, passages: int) -> Miner:
        """A miner for the index of ``retriever``, which may have another model when it mines."""
        vocabulary = retriever.vocabulary
        # whole, however little of them the model reads: a pseudo-query is whole, too
        questions = tokenise_questions(corpus.train, corpus.passages, vocabulary=vocabulary)
        marked = np.asarray([view.begin is not None for view in vocabulary.family.views.values()])
        serialised = open_serialised(retriever.index_directory)
        return cls(
            corpus=corpus,
            questions=questions,
            own=own_query_ranges(questions, serialised, marked=marked),
            passages=passages,
        )

    def __call__(
        self, retriever: Retriever, chosen: NDArray[np.int64], *, shown: bool
    ) -> MinedLists:
        """The lists of ``chosen`` [Q], positions in the training split; ``shown``: with a bar."""
        batches = retriever.retrieve(
            [self.corpus.train.queries[i].text for i in chosen],
            k=self.passages,
            excluded=_select(self.own, chosen),
        )
        kept_keys, key_indices, passages, scores, coverages = [], [], [], [], []
        for _, keys, _, lists in watch(
            batches,
            total=len(chosen),
            description=f"mine {'+'.join(retriever.vocabulary.family.names)}",
            shown=shown,
        ):
            kept, key_index = trim(keys, lists)
            kept_keys.append(kept)
            key_indices.append(key_index)
            passages.append(lists.passage)
            scores.append(lists.score)
            coverages.append(lists.coverage)
        passage = np.concatenate(passages)
        relevant = self.questions.relevant_offsets, self.questions.relevant
        return MinedLists(
            question=chosen,
            passage=passage,
            score=np.concatenate(scores),
            relevance=relevance_of(passage, *relevant, rows=chosen),
            key_index=joined(key_indices, fill=-1),
            coverage=joined(coverages, fill=0),
            keys=stack(kept_keys),
        )


def relevance_of(
    passage: NDArray[np.int32],
    relevant_offsets: NDArray[np.int64],
    relevant: NDArray[np.int64],
    *,
    rows: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """[Q, P] whether each listed passage is judged relevant to its question.

    Args:
        relevant_offsets, relevant: CSR of relevant passages over all questions.
        rows: [Q] the questions of the lists.
    """
    span = int(max(passage.max(initial=0), relevant.max(initial=0))) + 1
    owner = csr_owners(relevant_offsets)
    asked = rows[:, None] * span + passage
    found: NDArray[np.bool_] = np.isin(asked, owner * span + relevant) & (passage >= 0)
    return found


def _choose(available: int, settings: MineSettings) -> NDArray[np.int64]:
    if settings.questions is None or settings.questions >= available:
        return np.arange(available)
    drawn = np.random.default_rng(settings.seed).permutation(available)
    return np.sort(drawn[: settings.questions])


def _select(ranges: Ranges, rows: NDArray[np.int64]) -> Ranges:
    offsets, starts, ends = ranges
    widths = np.diff(offsets)[rows]
    picked = csr_ranges(offsets[rows], widths)
    return csr_offsets(widths), starts[picked], ends[picked]
