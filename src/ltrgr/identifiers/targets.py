"""Training targets of stage 1: random identifiers for a prompt to generate.

The mix is MINDER's (arXiv 2305.16675, sec. 3.3): 3 titles, 10 body spans and 5 pseudo-queries per
relevant pair. Some draws replace the question by a span of a passage, so that the model also learns
passages without a training question. Targets are drawn at every step; no epoch repeats the spans
of another. A pseudo-query that shares more tokens with the question is drawn more often, because a
target that the prompt does not hint at teaches little. See docs/method.md, section 4.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True)
def _weighted_choice(weights: Any, uniform: float) -> int:
    """A position drawn with p ~ ``weights`` [n] by one number ``uniform``; -1 if all are 0."""
    total = weights.sum()
    if total <= 0:
        return -1
    threshold = uniform * total
    running = 0.0
    last = -1
    for position in range(len(weights)):
        if weights[position] <= 0:
            continue
        running += weights[position]
        last = position
        if running > threshold:
            return position
    return last


@njit(cache=True)
def _worth_of(question: Any, idf: Any) -> Any:
    """[T] weight of each question token; a repeated token counts once."""
    worth = np.zeros(len(question), np.float64)
    for token in range(len(question)):
        if not np.any(question[:token] == question[token]):
            worth[token] = idf[question[token]]
    return worth


@njit(cache=True)
def _overlap(window: Any, question: Any, worth: Any) -> float:
    """Sum of ``worth`` over the question tokens that occur in the window."""
    overlap = 0.0
    for token in range(len(question)):
        for position in range(len(window)):
            if window[position] == question[token]:
                overlap += worth[token]
                break
    return overlap


@njit(cache=True)
def draw_span(
    text: Any, question: Any, idf: Any, length: int, temperature: float, uniform: float
) -> int:
    """Start of a window of ``text``, drawn with p ~ exp(overlap with the question / temperature).

    The overlap is the sum of ``idf`` over the distinct question tokens in the window.

    Args:
        text, question: token ids.
        idf: [V] inverse document frequency of each token, 1 for the rarest, so that function
            words count little.
        length: tokens of the window.
        uniform: a random number in [0, 1).
    """
    worth = _worth_of(question, idf)
    n = max(1, len(text) - length + 1)
    weights = np.empty(n, np.float64)
    for start in range(n):
        weights[start] = _overlap(text[start : start + length], question, worth)
    return _weighted_choice(np.exp((weights - weights.max()) / temperature), uniform)


@njit(cache=True)
def _is_copy(text: Any, question: Any) -> bool:
    """Whether a field equals the question; a model must not learn to copy its prompt."""
    if len(text) != len(question):
        return False
    same = 0
    for position in range(len(text)):
        same += text[position] == question[position]
    return bool(same == len(text))


@njit(cache=True)
def _draw_field(
    corpus: Any,
    passage: int,
    source: Any,
    whole: Any,
    view_draws: Any,
    view_end: Any,
    idf: Any,
    temperature: float,
    uniform: float,
) -> int:
    """A field of the passage: a view with p ~ ``view_draws``, in it p ~ exp(overlap / temperature).

    The overlap is measured with ``source``, the part of the question that the prompt holds. A
    field that equals the ``whole`` question is never drawn. -1 if no field can be a target.
    """
    tokens, _, field_offsets, field_view, field_start, field_end = corpus
    first, last = field_offsets[passage], field_offsets[passage + 1]
    worth = _worth_of(source, idf)
    overlap = np.full(last - first, -1.0)  # -1: cannot be a target
    top = np.zeros(len(view_draws), np.float64)
    for field in range(first, last):
        view = field_view[field]
        text = tokens[field_start[field] : field_end[field]]
        if len(text) > 0 and not (view_end[view] >= 0 and _is_copy(text, whole)):
            overlap[field - first] = _overlap(text, source, worth)
            top[view] = max(top[view], overlap[field - first])
    weights = np.zeros(last - first, np.float64)
    of_view = np.zeros(len(view_draws), np.float64)
    for field in range(first, last):
        if overlap[field - first] >= 0:
            view = field_view[field]
            weights[field - first] = np.exp((overlap[field - first] - top[view]) / temperature)
            of_view[view] += weights[field - first]
    for field in range(first, last):
        if weights[field - first] > 0:
            view = field_view[field]
            weights[field - first] *= view_draws[view] / of_view[view]
    chosen = _weighted_choice(weights, uniform)
    return first + chosen if chosen >= 0 else -1


@njit(cache=True)
def _longest_field(corpus: Any, passage: int) -> int:
    """The passage's longest field, usually its text."""
    _, _, field_offsets, _, field_start, field_end = corpus
    longest = field_offsets[passage]
    for field in range(field_offsets[passage], field_offsets[passage + 1]):
        if field_end[field] - field_start[field] > field_end[longest] - field_start[longest]:
            longest = field
    return longest


@njit(cache=True)
def _draw_source_span(
    corpus: Any, passage: int, span_length: int, for_length: float, for_start: float
) -> Any:
    """A random span of the passage in place of a question, one to two ``span_length`` long."""
    tokens, _, _, _, field_start, field_end = corpus
    field = _longest_field(corpus, passage)
    size = field_end[field] - field_start[field]
    length = min(size, span_length + int(for_length * span_length))
    start = field_start[field] + int(for_start * (size - length + 1))
    return tokens[start : start + length]


@njit(cache=True)
def draw_pair(
    uniform: Any,
    pair: int,
    corpus: Any,
    questions: Any,
    drawable: Any,
    view_draws: Any,
    view_end: Any,
    idf: Any,
    span_length: int,
    temperature: float,
    field_temperature: float,
    unsupervised: float,
    source_out: Any,
    target_out: Any,
) -> Any:
    """Write one (source, target) pair; return (view, source length, target length).

    Args:
        uniform: [6] random numbers in [0, 1).
        pair: the relevant pair of a supervised draw.
        corpus: (tokens, passage offsets, field offsets, field view, field start, field end).
        questions: (offsets, tokens, pair question, pair passage).
        drawable: [D] passages that have a field, for unsupervised draws.
        view_draws, view_end: [W] sampling weight and end marker (-1: free view) of each view.
        unsupervised: probability of a draw without a question.
        source_out, target_out: buffers for the token ids.
    """
    tokens, _, _, field_view, field_start, field_end = corpus
    question_offsets, question_tokens, pair_question, pair_passage = questions
    if len(pair_question) > 0 and uniform[0] >= unsupervised:
        passage = pair_passage[pair]
        asked = pair_question[pair]
        whole = question_tokens[question_offsets[asked] : question_offsets[asked + 1]]
        source = whole[: len(source_out)]
        hint = source
    else:
        passage = drawable[int(uniform[1] * len(drawable))]
        whole = _draw_source_span(corpus, passage, span_length, uniform[2], uniform[3])
        source = whole[: len(source_out)]
        hint = source[:0]  # with the source as hint, the likeliest span is the source itself
    field = _draw_field(
        corpus, passage, source, whole, view_draws, view_end, idf, field_temperature,
        uniform[4],
    )  # fmt: skip
    if field < 0:
        field = _longest_field(corpus, passage)
    view = field_view[field]
    text = tokens[field_start[field] : field_end[field]]
    n_source = len(source)
    source_out[:n_source] = source
    if view_end[view] >= 0:
        size = min(len(text), len(target_out) - 1)
        target_out[:size] = text[:size]
        target_out[size] = view_end[view]
        return view, n_source, size + 1
    start = draw_span(text, hint, idf, span_length, temperature, uniform[5])
    size = min(span_length, len(text) - start, len(target_out))
    target_out[:size] = text[start : start + size]
    return view, n_source, size


@njit(cache=True)
def draw_batch(
    uniform: Any,
    pairs: Any,
    corpus: Any,
    questions: Any,
    drawable: Any,
    view_draws: Any,
    view_end: Any,
    frames: Any,
    idf: Any,
    span_length: int,
    temperature: float,
    field_temperature: float,
    unsupervised: float,
    longest_source: int,
    max_target_length: int,
    pad_id: int,
) -> Any:
    """A batch of prompts and labels for stage 1; see ``draw_pair`` for the other arguments.

    Args:
        uniform: [B, 6] random numbers in [0, 1).
        pairs: [B] relevant pairs.
        frames: (prefix [f], suffixes [W, g]), the tokens around the source in each view's prompt.

    Returns:
        (encoder ids [B, L] padded with ``pad_id``, lengths [B], labels [B, T] padded with -100).
    """
    prefix, suffixes = frames
    n = len(pairs)
    ids = np.full((n, longest_source + len(prefix) + suffixes.shape[1]), pad_id, np.int64)
    lengths = np.zeros(n, np.int64)
    labels = np.full((n, max_target_length), -100, np.int64)
    source = np.empty(longest_source, np.int32)
    target = np.empty(max_target_length, np.int32)
    widest = 1
    for row in range(n):
        view, n_source, n_target = draw_pair(
            uniform[row], pairs[row], corpus, questions, drawable, view_draws, view_end,
            idf, span_length, temperature, field_temperature, unsupervised, source, target,
        )  # fmt: skip
        start = len(prefix)
        ids[row, :start] = prefix
        ids[row, start : start + n_source] = source[:n_source]
        stop = start + n_source + suffixes.shape[1]
        ids[row, start + n_source : stop] = suffixes[view]
        lengths[row] = stop
        labels[row, :n_target] = target[:n_target]
        widest = max(widest, n_target)
    return ids[:, : lengths.max()], lengths, labels[:, :widest]
