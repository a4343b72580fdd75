"""Exposure bias of one system: teacher-forced and free-running prefixes, the beam, the errors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ltrgr.analysis.beams import OFF, against_gold, free_running_prefix, gold_rank, returned
from ltrgr.analysis.best_gold import best_identifier, greedy_span
from ltrgr.analysis.gold import gold_places
from ltrgr.analysis.teacher_forced import stays_gold, teacher_forced_choice
from ltrgr.decoding.beam_search import SearchedView, constrained_beam_search
from ltrgr.decoding.model import cumulative_log_probabilities, encode
from ltrgr.identifiers.serialise import SerialisedCorpus
from ltrgr.identifiers.tokenised import TokenisedQuestions
from ltrgr.retrieval.retriever import Retriever


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """Observations of one view for B questions; T is the view's number of steps.

    The *followed* gold identifier of a question is the one with the highest log p(gold | q). In a
    view without markers any span of a relevant passage is gold; the followed one is then the
    full-length span of ``greedy_span``, whose log p is a lower bound. A prefix is right if *any*
    gold identifier of the question begins with it.
    """

    length: NDArray[np.int64]
    """[B] tokens of the followed identifier; 0 if the question has no gold one in this view"""
    forced: NDArray[np.bool_]
    """[B, T] teacher-forced: the constrained argmax after t gold tokens is right"""
    own: NDArray[np.bool_]
    """[B, T] free-running: the first t + 1 tokens of greedy constrained decoding are right"""
    rank: NDArray[np.int64]
    """[B, T] rank of the best right prefix of t + 1 tokens on the beam; ``OFF``: pruned"""
    log_probability: NDArray[np.float32]
    """[B] log p(followed | q)"""
    found: NDArray[np.bool_]
    """[B] whether a gold identifier is among the returned whole keys of this view"""
    best: NDArray[np.float32]
    """[B] log p of the best whole key returned; -inf: none"""
    worst: NDArray[np.float32]
    """[B] log p of the worst whole key returned; -inf: none"""


def observe(
    retriever: Retriever, corpus: SerialisedCorpus, questions: TokenisedQuestions
) -> Iterator[tuple[slice, dict[str, Observed]]]:
    """Observe every searched view, a batch of questions at a time.

    Yields:
        (questions of the batch as a slice, name of the view -> observations).
    """
    family = retriever.vocabulary.family
    size, n = retriever.decoding.batch_size, len(questions.offsets) - 1
    for first in range(0, n, size):
        part = slice(first, min(first + size, n))
        yield (
            part,
            {
                name: _observe_view(retriever, corpus, questions, part, name, view)
                for name, view in zip(family.names, retriever.views, strict=True)
                if family.views[name].searched
            },
        )


def join(batches: list[Observed]) -> Observed:
    """Concatenate the observations of one view over successive batches."""
    return Observed(
        **{f.name: np.concatenate([getattr(b, f.name) for b in batches]) for f in fields(Observed)}
    )


def summarise(seen: Observed) -> dict[str, Any]:
    """Summarise the observations of one view as plain data.

    In all curves, depth t covers the questions whose followed identifier has at least t tokens:

    - ``forced``: fraction of right tokens after gold prefixes (teacher-forced);
    - ``own``: fraction of right prefixes of greedy decoding (free-running);
    - ``own_step``: fraction of right tokens after free-running prefixes that are right so far;
    - ``on_beam``: fraction of questions with a gold prefix on the beam; ``median_rank``: its rank;
    - ``median_fall``: median depth at which a question loses its last gold prefix.

    ``errors`` are fractions of the questions with a gold identifier. ``found``: one is among the
    whole keys returned. ``search``: not found, and log p(gold | q) is above that of the best key
    returned. ``model``: not found, and it is not above. ``above_worst``: not found, but above the
    worst key returned.
    """
    asked = seen.length > 0
    n = int(asked.sum())
    if not n:
        return {"questions": 0, "without_gold": len(asked)}
    length = seen.length[asked]
    depth = np.arange(1, int(length.max()) + 1)
    right = length[:, None] >= depth
    on_beam = seen.rank[asked][:, : len(depth)] < OFF
    lost = ~seen.found[asked]
    score = seen.log_probability[asked]
    above_best = lost & (score > seen.best[asked])
    return {
        "questions": n,
        "without_gold": len(asked) - n,
        "depth": depth.tolist(),
        "questions_by_depth": right.sum(axis=0).tolist(),
        "forced": _shares(seen.forced[asked], right),
        "own": _shares(seen.own[asked], right),
        "own_step": _shares(seen.own[asked], right & _before(seen.own[asked], len(depth))),
        "on_beam": _shares(on_beam, right),
        "median_rank": _median_ranks(seen.rank[asked], right & on_beam),
        "median_fall": _median_fall(on_beam, right),
        "errors": {
            "found": float((~lost).mean()),
            "search": float(above_best.mean()),
            "model": float((lost & ~above_best).mean()),
            "above_worst": float((lost & (score > seen.worst[asked])).mean()),
        },
    }


def _shares(flags: NDArray[np.bool_], asked: NDArray[np.bool_]) -> list[float | None]:
    """Mean of ``flags`` over the questions at each depth; None for a depth without questions."""
    hits = (flags[:, : asked.shape[1]] & asked).sum(axis=0).tolist()
    return [
        round(hit / n, 6) if n else None
        for hit, n in zip(hits, asked.sum(axis=0).tolist(), strict=True)
    ]


def _before(own: NDArray[np.bool_], depth: int) -> NDArray[np.bool_]:
    """[B, depth] whether the prefix that is one token shorter is right; the empty prefix is."""
    return np.pad(own, ((0, 0), (1, 0)), constant_values=True)[:, :depth]


def _median_ranks(rank: NDArray[np.int64], shown: NDArray[np.bool_]) -> list[float | None]:
    return [
        float(np.median(rank[shown[:, t], t])) if shown[:, t].any() else None
        for t in range(shown.shape[1])
    ]


def _median_fall(on_beam: NDArray[np.bool_], asked: NDArray[np.bool_]) -> float | None:
    off = ~on_beam & asked
    fell = off.any(axis=1)
    return float(np.median(off[fell].argmax(axis=1) + 1)) if fell.any() else None


@torch.inference_mode()
def _observe_view(
    retriever: Retriever,
    corpus: SerialisedCorpus,
    questions: TokenisedQuestions,
    part: slice,
    name: str,
    view: SearchedView,
) -> Observed:
    bounds = questions.offsets[part.start : part.stop + 1]
    ids, mask = retriever.prompts(np.split(questions.tokens[: bounds[-1]], bounds[:-1])[1:], name)
    relevant = questions.relevant_offsets[part.start : part.stop + 1]
    gold = gold_places(
        corpus,
        view=view,
        relevant_offsets=relevant - relevant[0],
        relevant=questions.relevant[relevant[0] : relevant[-1]],
    )
    model, is_marker, n = retriever.model, retriever.vocabulary.is_marker, len(ids)
    states = encode(model, ids, mask)
    labels = (
        greedy_span(model, states=states, mask=mask, gold=gold, steps=view.max_new_tokens)
        if view.begin < 0
        else best_identifier(model, states=states, mask=mask, gold=gold)
    )
    labels = np.pad(
        labels, ((0, 0), (0, view.max_new_tokens - labels.shape[1])), constant_values=-100
    )
    chosen = teacher_forced_choice(
        model, states=states, mask=mask, labels=labels, view=view, index=retriever.index,
        is_marker=is_marker,
    )  # fmt: skip
    score = cumulative_log_probabilities(
        model, states, mask, torch.from_numpy(labels).to(ids.device),
        owner=torch.arange(n, device=ids.device),
    )[:, -1]  # fmt: skip
    one, many = (
        against_gold(
            constrained_beam_search(
                model, prompt_ids=ids, prompt_mask=mask, view=view, index=retriever.index,
                is_marker=is_marker, num_beams=num_beams,
            ).keys,
            gold=gold,
            view=view,
        )
        for num_beams in (1, retriever.decoding.num_beams)
    )  # fmt: skip
    whole = returned(many, questions=n)
    return Observed(
        length=(labels >= 0).sum(axis=1),
        forced=stays_gold(gold, labels=labels, chosen=chosen),
        own=free_running_prefix(one, questions=n, steps=view.max_new_tokens),
        rank=gold_rank(many, questions=n, steps=view.max_new_tokens),
        log_probability=score.cpu().numpy(),
        found=whole.gold,
        best=whole.best,
        worst=whole.worst,
    )
