"""Exposure bias of one system: gold against own prefixes, the beam, search and model errors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ltrgr.analysis.beams import OFF, against_gold, gold_rank, own_prefix, returned
from ltrgr.analysis.best_gold import best_identifier, greedy_span
from ltrgr.analysis.forced import forced_choice, stays_gold
from ltrgr.analysis.gold import gold_places
from ltrgr.decoding.beam_search import SearchedView, constrained_beam_search
from ltrgr.decoding.model import cumulative_log_probabilities, encode
from ltrgr.identifiers.serialise import SerialisedCorpus
from ltrgr.identifiers.tokenised import TokenisedQuestions
from ltrgr.retrieval.retriever import Retriever


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """One view's observations for B questions and T = the view's steps.

    The *followed* gold identifier of a question is the one with the highest log p(gold | q); for a
    view without markers, where any span of a relevant passage is gold, the full-length span that
    greedy decoding within the relevant passages gives (its log p is a lower bound). A prefix is
    right when *any* gold identifier of the question begins with it.
    """

    length: NDArray[np.int64]
    """[B] tokens of the followed identifier; 0 where the question has none of this view"""
    forced: NDArray[np.bool_]
    """[B, T] constrained argmax after t gold tokens is right"""
    own: NDArray[np.bool_]
    """[B, T] first t + 1 tokens of greedy constrained decoding are right"""
    rank: NDArray[np.int64]
    """[B, T] rank of the best right prefix of t + 1 tokens on the beam, ``OFF`` where pruned"""
    log_probability: NDArray[np.float32]
    """[B] log p(followed | q)"""
    found: NDArray[np.bool_]
    """[B] a gold identifier is among the returned whole keys of this view"""
    best: NDArray[np.float32]
    """[B] log p of the best whole key returned, -inf for none"""
    worst: NDArray[np.float32]
    """[B] log p of the worst"""


def observe(
    retriever: Retriever, corpus: SerialisedCorpus, questions: TokenisedQuestions
) -> Iterator[tuple[slice, dict[str, Observed]]]:
    """Observe every view that is searched, a batch of questions at a time."""
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
    """Successive batches of one view as one."""
    return Observed(
        **{f.name: np.concatenate([getattr(b, f.name) for b in batches]) for f in fields(Observed)}
    )


def summarise(seen: Observed) -> dict[str, Any]:
    """What one view shows, as plain data.

    Depth t is measured over the questions whose followed identifier has t tokens or more, alike in
    all curves. ``forced`` is the share of right tokens after gold prefixes; ``own`` the share of
    right own prefixes, ``own_step`` that of right tokens after own prefixes right so far.
    ``on_beam`` is the share still on the beam, ``median_rank`` is of those; ``median_fall`` the
    median depth at which questions lose their last gold prefix. ``errors`` are shares of the
    questions with gold: ``found`` among the whole keys returned; else ``search`` where
    log p(gold | q) is above that of the best of these, and ``model`` where not; ``above_worst``:
    not found, yet above the worst of these.
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
    """Mean over the questions asked at each depth, None where none is."""
    hits = (flags[:, : asked.shape[1]] & asked).sum(axis=0).tolist()
    return [
        round(hit / n, 6) if n else None
        for hit, n in zip(hits, asked.sum(axis=0).tolist(), strict=True)
    ]


def _before(own: NDArray[np.bool_], depth: int) -> NDArray[np.bool_]:
    """[B, depth] whether the prefix one token shorter is right; the empty one is."""
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
        greedy_span(model, states=states, mask=mask, gold=gold, steps=view.steps)
        if view.begin < 0
        else best_identifier(model, states=states, mask=mask, gold=gold)
    )
    labels = np.pad(labels, ((0, 0), (0, view.steps - labels.shape[1])), constant_values=-100)
    chosen = forced_choice(
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
                is_marker=is_marker, beams=beams,
            ).keys,
            gold=gold,
            view=view,
        )
        for beams in (1, retriever.decoding.beams)
    )  # fmt: skip
    whole = returned(many, questions=n)
    return Observed(
        length=(labels >= 0).sum(axis=1),
        forced=stays_gold(gold, labels=labels, chosen=chosen),
        own=own_prefix(one, questions=n, steps=view.steps),
        rank=gold_rank(many, questions=n, steps=view.steps),
        log_probability=score.cpu().numpy(),
        found=whole.gold,
        best=whole.best,
        worst=whole.worst,
    )
