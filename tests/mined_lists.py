"""Mined lists of the tiny corpus and the sampler over them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ltrgr.corpus.records import Corpus
from ltrgr.data.rank_lists import RankListSampler
from ltrgr.identifiers.join import stack
from ltrgr.identifiers.tokenised import tokenise_questions
from ltrgr.pipeline.mine_stage import relevance_of
from ltrgr.retrieval.mined import MinedLists, joined, trim
from ltrgr.retrieval.retriever import Retriever


def mine_some(retriever: Retriever, corpus: Corpus, *, questions: int, k: int) -> MinedLists:
    """The lists of the first ``questions`` training questions."""
    tokenised = tokenise_questions(
        corpus.train, corpus.passages, vocabulary=retriever.vocabulary, longest=64
    )
    asked = np.arange(questions)
    found = list(retriever.rank([q.text for q in corpus.train.queries[:questions]], k=k))
    trimmed = [trim(keys, lists) for _, keys, lists in found]
    passage = np.concatenate([lists.passage for *_, lists in found])
    return MinedLists(
        question=asked,
        passage=passage,
        score=np.concatenate([lists.score for *_, lists in found]),
        relevance=relevance_of(passage, tokenised.relevant_offsets, tokenised.relevant, rows=asked),
        key_index=joined([key_index for _, key_index in trimmed], fill=-1),
        coverage=joined([lists.coverage for *_, lists in found], fill=0),
        keys=stack([keys for keys, _ in trimmed]),
    )


def sampler_over(
    mined: MinedLists, retriever: Retriever, corpus: Corpus, *, select: Any, index: Path, each: int
) -> RankListSampler:
    """Stage 2's sampler with the given choice of passages."""
    from tiny_world import sampler_of

    vocabulary = retriever.vocabulary
    return RankListSampler(
        mined=mined,
        vocabulary=vocabulary,
        questions=tokenise_questions(
            corpus.train, corpus.passages, vocabulary=vocabulary, longest=64
        ),
        select=select,
        scoring=retriever.scoring,
        targets=sampler_of(index, vocabulary.family, corpus),
        targets_per_question=each,
        max_question_length=64,
    )
