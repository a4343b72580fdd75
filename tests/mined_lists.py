"""Mined lists of the tiny corpus and the sampler over them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ltrgr.corpus.records import Corpus
from ltrgr.data.rank_list_sampler import RankListSampler
from ltrgr.identifiers.tokenised import tokenise_questions
from ltrgr.pipeline.mine_stage import Miner
from ltrgr.retrieval.mined import MinedLists
from ltrgr.retrieval.retriever import Retriever


def mine_some(retriever: Retriever, corpus: Corpus, *, questions: int, k: int) -> MinedLists:
    """The lists of the first ``questions`` training questions."""
    miner = Miner.over(retriever, corpus, passages=k)
    return miner(retriever, np.arange(questions), shown=False)


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
