"""Does the model generate? Greedy constrained decoding against the relevant passages."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from ltrgr.analysis.beams import against_gold, ends_in_gold
from ltrgr.analysis.gold import Gold, gold_places
from ltrgr.decoding.beam_search import SearchedView, constrained_beam_search
from ltrgr.identifiers.serialise import SerialisedCorpus
from ltrgr.identifiers.tokenised import TokenisedQuestions
from ltrgr.retrieval.retriever import Retriever

Flags = NDArray[np.bool_]


@torch.inference_mode()
def greedy_identifiers(
    retriever: Retriever, corpus: SerialisedCorpus, questions: TokenisedQuestions
) -> dict[str, tuple[Flags, Flags]]:
    """view -> (right [Q], asked [Q]) for every view that is searched.

    A question is asked where one of its relevant passages has an identifier of the view that
    search can decode whole. It is right where greedy constrained decoding gives such an
    identifier: a whole title or pseudo-query, or a span of full length, of a relevant passage.
    """
    family = retriever.vocabulary.family
    return {
        name: _of_view(retriever, corpus, questions, name, view)
        for name, view in zip(family.names, retriever.views, strict=True)
        if family.views[name].searched
    }


def _of_view(
    retriever: Retriever,
    corpus: SerialisedCorpus,
    questions: TokenisedQuestions,
    name: str,
    view: SearchedView,
) -> tuple[Flags, Flags]:
    gold = gold_places(
        corpus,
        view=view,
        relevant_offsets=questions.relevant_offsets,
        relevant=questions.relevant,
    )
    ids, mask = retriever.prompts(np.split(questions.tokens, questions.offsets[1:-1]), name)
    found = constrained_beam_search(
        retriever.model,
        prompt_ids=ids,
        prompt_mask=mask,
        view=view,
        index=retriever.index,
        is_marker=retriever.vocabulary.is_marker,
        num_beams=1,
    )
    greedy = against_gold(found.keys, gold=gold, view=view)
    return ends_in_gold(greedy, questions=len(ids)), has_identifier(gold, view=view)


def has_identifier(gold: Gold, *, view: SearchedView) -> Flags:
    """[B] whether a question has a whole gold identifier: without markers, one of full length."""
    whole = gold.stop - gold.start >= (view.max_new_tokens if view.begin < 0 else 1)
    return np.bincount(gold.question[whole], minlength=len(gold.offsets) - 1) > 0
