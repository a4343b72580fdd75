"""Training targets of stage 1: random identifiers for a prompt to generate.

The mix is MINDER's (arXiv 2305.16675, sec. 3.3): 3 titles, 10 body spans and 5 pseudo-queries per
relevant pair. Some draws replace the question by a span of a passage, so that the model also learns
passages without a training question. Targets are drawn at every step; no epoch repeats the spans
of another. A pseudo-query that shares more tokens with the question is drawn more often, because a
target that the prompt does not hint at teaches little. See docs/method.md, section 4.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ltrgr.compiled import njit


class PassageFields(NamedTuple):
    """The fields of all passages; P passages, F fields."""

    tokens: NDArray[np.int32]
    """[N] the token stream"""
    offsets: NDArray[np.int64]
    """[P + 1] CSR: the fields of each passage"""
    view_number: NDArray[np.int16]
    """[F]"""
    start: NDArray[np.int64]
    """[F] first position of the field's text in ``tokens``"""
    end: NDArray[np.int64]
    """[F] one past the last"""
    with_fields: NDArray[np.int64]
    """passages that have a field"""


class QuestionPairs(NamedTuple):
    """Relevant (question, passage) pairs; M pairs."""

    offsets: NDArray[np.int64]
    """[Q + 1] CSR: the tokens of each question"""
    tokens: NDArray[np.int32]
    question: NDArray[np.int64]
    """[M]"""
    passage: NDArray[np.int64]
    """[M]"""


class TargetRules(NamedTuple):
    """How targets are drawn and written; W views, V token ids."""

    sampling_weight: NDArray[np.float64]
    """[W]"""
    view_end: NDArray[np.int64]
    """[W] end marker, -1: a free view"""
    prompt_prefix: NDArray[np.int32]
    """[f] tokens before the source in a prompt"""
    prompt_suffix: NDArray[np.int32]
    """[W, g] tokens after it, by view"""
    idf: NDArray[np.float64]
    """[V] inverse document frequency: 1 for the rarest token, near 0 for function words"""
    span_length: int
    temperature: float
    field_temperature: float
    unsupervised: float
    """probability of a draw whose source is a span of a passage, not a question"""
    max_question_length: int
    max_target_length: int
    pad_id: int


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
    fields: Any, passage: int, source: Any, whole: Any, rules: Any, uniform: float
) -> int:
    """A field of the passage: a view with p ~ its sampling weight, in it p ~ exp(overlap /
    ``field_temperature``).

    The overlap is measured with ``source``, the part of the question that the prompt holds. A
    field that equals the ``whole`` question is never drawn. -1 if no field can be a target.
    """
    first, last = fields.offsets[passage], fields.offsets[passage + 1]
    n_views = len(rules.sampling_weight)
    worth = _worth_of(source, rules.idf)
    overlap = np.full(last - first, -1.0)  # -1: cannot be a target
    top = np.zeros(n_views, np.float64)
    for field in range(first, last):
        view = fields.view_number[field]
        text = fields.tokens[fields.start[field] : fields.end[field]]
        if len(text) > 0 and not (rules.view_end[view] >= 0 and _is_copy(text, whole)):
            overlap[field - first] = _overlap(text, source, worth)
            top[view] = max(top[view], overlap[field - first])
    weights = np.zeros(last - first, np.float64)
    of_view = np.zeros(n_views, np.float64)
    for field in range(first, last):
        if overlap[field - first] >= 0:
            view = fields.view_number[field]
            gap = overlap[field - first] - top[view]
            weights[field - first] = np.exp(gap / rules.field_temperature)
            of_view[view] += weights[field - first]
    for field in range(first, last):
        if weights[field - first] > 0:
            view = fields.view_number[field]
            weights[field - first] *= rules.sampling_weight[view] / of_view[view]
    chosen = _weighted_choice(weights, uniform)
    return first + chosen if chosen >= 0 else -1


@njit(cache=True)
def _longest_field(fields: Any, passage: int) -> int:
    """The passage's longest field, usually its text."""
    longest = fields.offsets[passage]
    for field in range(fields.offsets[passage], fields.offsets[passage + 1]):
        if fields.end[field] - fields.start[field] > fields.end[longest] - fields.start[longest]:
            longest = field
    return longest


@njit(cache=True)
def _draw_source_span(
    fields: Any, passage: int, span_length: int, for_length: float, for_start: float
) -> Any:
    """A random span of the passage in place of a question, one to two ``span_length`` long."""
    field = _longest_field(fields, passage)
    size = fields.end[field] - fields.start[field]
    length = min(size, span_length + int(for_length * span_length))
    start = fields.start[field] + int(for_start * (size - length + 1))
    return fields.tokens[start : start + length]


@njit(cache=True)
def draw_pair(
    uniform: Any, pair: int, fields: Any, pairs: Any, rules: Any, source_out: Any, target_out: Any
) -> Any:
    """Write one (source, target) pair; return (view, source length, target length).

    Args:
        uniform: [6] random numbers in [0, 1).
        pair: the relevant pair of a supervised draw.
        fields, pairs, rules: ``PassageFields``, ``QuestionPairs``, ``TargetRules``.
        source_out, target_out: buffers for the token ids.
    """
    if len(pairs.question) > 0 and uniform[0] >= rules.unsupervised:
        passage = pairs.passage[pair]
        asked = pairs.question[pair]
        whole = pairs.tokens[pairs.offsets[asked] : pairs.offsets[asked + 1]]
        source = whole[: len(source_out)]
        hint = source
    else:
        passage = fields.with_fields[int(uniform[1] * len(fields.with_fields))]
        whole = _draw_source_span(fields, passage, rules.span_length, uniform[2], uniform[3])
        source = whole[: len(source_out)]
        hint = source[:0]  # with the source as hint, the likeliest span is the source itself
    field = _draw_field(fields, passage, source, whole, rules, uniform[4])
    if field < 0:
        field = _longest_field(fields, passage)
    view = fields.view_number[field]
    text = fields.tokens[fields.start[field] : fields.end[field]]
    n_source = len(source)
    source_out[:n_source] = source
    if rules.view_end[view] >= 0:
        size = min(len(text), len(target_out) - 1)
        target_out[:size] = text[:size]
        target_out[size] = rules.view_end[view]
        return view, n_source, size + 1
    start = draw_span(text, hint, rules.idf, rules.span_length, rules.temperature, uniform[5])
    size = min(rules.span_length, len(text) - start, len(target_out))
    target_out[:size] = text[start : start + size]
    return view, n_source, size


@njit(cache=True)
def draw_batch(uniforms: Any, chosen: Any, fields: Any, pairs: Any, rules: Any) -> Any:
    """A batch of prompts and labels for stage 1.

    Args:
        uniforms: [B, 6] random numbers in [0, 1).
        chosen: [B] relevant pairs, rows of ``pairs``.
        fields, pairs, rules: ``PassageFields``, ``QuestionPairs``, ``TargetRules``.

    Returns:
        (encoder ids [B, L] padded with ``pad_id``, lengths [B], labels [B, T] padded with -100).
    """
    before, after = len(rules.prompt_prefix), rules.prompt_suffix.shape[1]
    n = len(chosen)
    ids = np.full((n, before + rules.max_question_length + after), rules.pad_id, np.int64)
    lengths = np.zeros(n, np.int64)
    labels = np.full((n, rules.max_target_length), -100, np.int64)
    source = np.empty(rules.max_question_length, np.int32)
    target = np.empty(rules.max_target_length, np.int32)
    widest = 1
    for row in range(n):
        view, n_source, n_target = draw_pair(
            uniforms[row], chosen[row], fields, pairs, rules, source, target
        )
        ids[row, :before] = rules.prompt_prefix
        ids[row, before : before + n_source] = source[:n_source]
        ids[row, before + n_source : before + n_source + after] = rules.prompt_suffix[view]
        lengths[row] = before + n_source + after
        labels[row, :n_target] = target[:n_target]
        widest = max(widest, n_target)
    return ids[:, : lengths.max()], lengths, labels[:, :widest]
