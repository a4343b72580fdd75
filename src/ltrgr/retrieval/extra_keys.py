"""Extra keys besides those of the beam: n-grams of the question, and single tokens (unigrams).

See docs/method.md, section 5.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ltrgr.csr import csr_offsets, csr_places, pad_rows
from ltrgr.decoding.model import cumulative_log_probabilities, encode
from ltrgr.identifiers.join import take
from ltrgr.identifiers.keys import Keys
from ltrgr.identifiers.vocabulary import Vocabulary
from ltrgr.index.protocol import Index
from ltrgr.scoring.scoring_settings import ScoringSettings
from ltrgr.scoring.weights import key_weights, prior_log_odds


def unigrams(
    first_step: Tensor,
    *,
    view: int,
    index: Index,
    is_marker: NDArray[np.bool_],
    scoring: ScoringSettings,
    view_offset: float = 0.0,
) -> Keys:
    """The ``scoring.unigrams`` heaviest single tokens of each question, as keys of ``view``.

    Args:
        first_step: [B, V'] log p(token | question) of the first decoding step, V' at least V.
        view: number of the free view whose prompt was used.
        is_marker: [V] True for marker tokens, which are left out.
        view_offset: offset of that view, nats.
    """
    log_probability = first_step[:, : len(is_marker)].cpu().numpy()
    count = index.token_counts(size=len(is_marker))
    # Nearly all tokens have p below their prior; one comparison rejects them.
    floor = lowest_log_probability(
        count, n_tokens=index.n_tokens, view_offset=view_offset, scoring=scoring
    )
    floor[is_marker | (count == 0)] = np.inf
    row, token = np.nonzero(log_probability > floor)
    weight = key_weights(
        log_probability[row, token],
        count[token],
        n_tokens=index.n_tokens,
        view_offset=view_offset,
        settings=scoring,
    )
    best = heaviest(row, weight, most=scoring.unigrams, questions=len(log_probability))
    row, tokens = row[best], token[best].astype(np.int32)
    lo, hi = index.intervals(np.arange(len(tokens) + 1), tokens)
    return Keys(
        question_offsets=csr_offsets(np.bincount(row, minlength=len(log_probability))),
        view=np.full(len(tokens), view, dtype=np.int16),
        token_offsets=np.arange(len(tokens) + 1, dtype=np.int64),
        tokens=tokens,
        lo=lo,
        hi=hi,
        log_probability=log_probability[row, tokens],
    )


def lowest_log_probability(
    count: NDArray[np.int64], *, n_tokens: int, scoring: ScoringSettings, view_offset: float = 0.0
) -> NDArray[np.float32]:
    """[V] a lower bound: a token with log p at or below it has weight 0.

    A weight above 0 needs ``log p - log(1 - p) > prior - view_offset``; for p <= 1/2,
    ``-log(1 - p) <= log 2``.
    """
    prior = prior_log_odds(count.astype(np.float64), n_tokens=n_tokens, settings=scoring)
    slack = 1e-3  # far above any rounding error of float32
    return (np.minimum(prior - view_offset, 0.0) - math.log(2) - slack).astype(np.float32)


def heaviest(
    row: NDArray[np.int64], weight: NDArray[np.float64], *, most: int, questions: int
) -> NDArray[np.int64]:
    """Indices of each question's ``most`` heaviest tokens of positive weight, heaviest first.

    Args:
        row: [n] question of each token, ascending.
        weight: [n] weights; ties go to the earlier index.
        questions: number of questions.
    """
    order = np.lexsort((-weight, row))
    order = order[weight[order] > 0]
    sizes = np.bincount(row[order], minlength=questions)
    return order[csr_places(sizes) < most]


@torch.inference_mode()
def question_ngrams(
    texts: Sequence[str],
    *,
    model: Any,
    prompt_ids: Tensor,
    prompt_mask: Tensor,
    view: int,
    vocabulary: Vocabulary,
    index: Index,
    longest: int,
) -> Keys:
    """Every n-gram of a question that occurs in the corpus, as keys of ``view``.

    Args:
        texts: B questions.
        prompt_ids, prompt_mask: [B, L] prompts of the view; teacher forcing scores the n-grams.
        longest: most words of an n-gram.
    """
    grams = [word_ngrams(text, longest=longest) for text in texts]
    encoded = vocabulary.encode([gram for group in grams for gram in group])
    offsets = csr_offsets([len(ids) for ids in encoded])
    flat = np.concatenate(encoded) if encoded else np.zeros(0, dtype=np.int32)
    lo, hi = index.intervals(offsets, flat)
    question = np.repeat(np.arange(len(texts)), [len(group) for group in grams])
    found = np.flatnonzero((hi > lo).any(axis=1) & (np.diff(offsets) > 0))
    keys = Keys(
        question_offsets=csr_offsets(np.bincount(question, minlength=len(texts))),
        view=np.full(len(lo), view, dtype=np.int16),
        token_offsets=offsets,
        tokens=flat,
        lo=lo,
        hi=hi,
        log_probability=np.zeros(len(lo), dtype=np.float32),
    )
    keys = take(keys, found, question[found], questions=len(texts))
    log_probability = _score(keys, model=model, prompt_ids=prompt_ids, prompt_mask=prompt_mask)
    return Keys(
        question_offsets=keys.question_offsets,
        view=keys.view,
        token_offsets=keys.token_offsets,
        tokens=keys.tokens,
        lo=keys.lo,
        hi=keys.hi,
        log_probability=log_probability,
    )


def word_ngrams(text: str, *, longest: int) -> list[str]:
    """Distinct n-grams of 1 to ``longest`` words, without punctuation at the edges of words.

    >>> word_ngrams("Who? who ran", longest=2)
    ['Who', 'who', 'ran', 'Who who', 'who ran']
    """
    words = [word.strip(".,;:!?\"'()") for word in text.split()]
    words = [word for word in words if word]
    grams = [
        " ".join(words[i : i + n]) for n in range(1, longest + 1) for i in range(len(words) - n + 1)
    ]
    return list(dict.fromkeys(grams))


def _score(
    keys: Keys, *, model: Any, prompt_ids: Tensor, prompt_mask: Tensor
) -> NDArray[np.float32]:
    if not len(keys.lo):
        return np.zeros(0, dtype=np.float32)
    labels = pad_rows(keys.tokens, keys.length, fill=-100)
    scores = cumulative_log_probabilities(
        model,
        encode(model, prompt_ids, prompt_mask),
        prompt_mask,
        torch.from_numpy(labels).to(prompt_ids.device),
        owner=torch.from_numpy(keys.question).to(prompt_ids.device),
    )
    return scores[:, -1].cpu().numpy().astype(np.float32)
