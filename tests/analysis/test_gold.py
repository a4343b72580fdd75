"""Gold places and the identifier that is followed, on two passages written out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from judge_search import BEGIN, BODY, CLOSE, END, FIRST_WORD, TITLE, Toy, bart, followers, toy
from ltrgr.analysis.best_gold import best_identifier, greedy_span
from ltrgr.analysis.gold import Gold, gold_places
from ltrgr.analysis.greedy import has_identifier
from ltrgr.analysis.teacher_forced import stays_gold, teacher_forced_choice
from ltrgr.decoding.beam_search import SearchedView
from ltrgr.decoding.model import encode
from ltrgr.identifiers.serialise import SerialisedCorpus

A, B, C, D, E = range(FIRST_WORD, FIRST_WORD + 5)
PASSAGES = [
    [BEGIN, A, B, END, C, D, A, D, C, CLOSE],
    [BEGIN, A, C, E, END, D, D, E, A, C, E, CLOSE],
    [BEGIN, B, END, E, B, A, CLOSE],
]
RELEVANT = [[0, 1], [2], []]
QUESTIONS = [[A, B, C], [E, A], [D, D, B, A]]


def serialised() -> SerialisedCorpus:
    """Fields: each passage's title (view 1), then its body (view 0)."""
    tokens = [token for passage in PASSAGES for token in passage]
    ends = [i for i, token in enumerate(tokens) if token == END]
    closes = [i for i, token in enumerate(tokens) if token == CLOSE]
    begins = [i for i, token in enumerate(tokens) if token == BEGIN]
    return SerialisedCorpus(
        tokens=np.asarray(tokens, dtype=np.int32),
        offsets=np.asarray([0, *(c + 1 for c in closes)]),
        field_offsets=np.asarray([0, 2, 4, 6]),
        field_view=np.asarray([1, 0] * 3, dtype=np.int16),
        field_start=np.asarray([[b + 1, e + 1] for b, e in zip(begins, ends, strict=True)]).ravel(),
        field_end=np.asarray([[e, c] for e, c in zip(ends, closes, strict=True)]).ravel(),
    )


def places(view: SearchedView) -> Gold:
    return gold_places(
        serialised(),
        view=view,
        relevant_offsets=np.asarray([0, 2, 3, 3]),
        relevant=np.asarray([0, 1, 2]),
    )


def spans(gold: Gold) -> list[list[list[int]]]:
    strings = [gold.text[a:b].tolist() for a, b in zip(gold.start, gold.stop, strict=True)]
    return [strings[gold.offsets[q] : gold.offsets[q + 1]] for q in range(len(gold.offsets) - 1)]


def flags(gold: Gold, question: int, *keys: list[int]) -> list[bool]:
    found = gold.begins_with(
        np.asarray([t for key in keys for t in key], dtype=np.int32),
        np.cumsum([0, *map(len, keys)]),
        np.full(len(keys), question),
    )
    return found.tolist()


def test_gold_of_a_marked_view_is_the_whole_field_with_its_end() -> None:
    assert spans(places(TITLE)) == [[[A, B, END], [A, C, E, END]], [[B, END]], []]


def test_a_title_longer_than_search_decodes_is_no_gold() -> None:
    assert spans(places(replace(TITLE, max_new_tokens=3))) == [[[A, B, END]], [[B, END]], []]


def test_gold_of_a_free_view_begins_anywhere_in_the_body() -> None:
    gold = spans(places(BODY))
    assert gold[1] == [[E, B, A], [B, A], [A]]
    assert len(gold[0]) == 5 + 6
    assert gold[2] == []


@pytest.mark.parametrize(
    ("steps", "asked"),
    [(3, [True, True, False]), (4, [True, False, False]), (7, [False, False, False])],
)
def test_a_free_view_is_asked_for_where_a_body_has_full_length(
    steps: int, asked: list[bool]
) -> None:
    """The bodies of question 0 have 5 and 6 tokens, that of question 1 has 3."""
    view = replace(BODY, max_new_tokens=steps)
    assert has_identifier(places(view), view=view).tolist() == asked


def test_a_marked_view_is_asked_for_where_a_title_can_be_decoded() -> None:
    for steps, asked in ((15, [True, True, False]), (2, [False, True, False])):
        view = replace(TITLE, max_new_tokens=steps)
        assert has_identifier(places(view), view=view).tolist() == asked


def test_what_begins_a_gold_identifier() -> None:
    title = places(TITLE)
    assert flags(title, 0, [A], [A, B], [A, B, END], [A, END], [A, C, E], [B]) == [
        True, True, True, False, True, False,
    ]  # fmt: skip
    assert flags(title, 1, [A], [B], [B, END]) == [False, True, True]
    assert flags(title, 2, [B]) == [False]
    body = places(BODY)
    assert flags(body, 0, [A, D, C], [A, C, E], [C, CLOSE], [E, B]) == [True, True, False, False]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    size = FIRST_WORD + 5
    return toy(PASSAGES, size=size, model=bart(size), directory=tmp_path_factory.mktemp("gold"))


def prompts() -> tuple[torch.Tensor, torch.Tensor]:
    ids = torch.tensor([q + [1] * (4 - len(q)) for q in QUESTIONS])
    return ids, (ids != 1).long()


def log_p(world: Toy, question: list[int], before: list[int]) -> torch.Tensor:
    """[V] of the next token, from the model's plain forward pass."""
    start = world.model.config.decoder_start_token_id
    with torch.no_grad():
        logits = world.model(
            input_ids=torch.tensor([question]),
            decoder_input_ids=torch.tensor([[start, *before]]),
        ).logits
    return logits[0, -1].log_softmax(0)


def test_the_likeliest_title_is_followed(world: Toy) -> None:
    ids, mask = prompts()
    states = encode(world.model, ids, mask)
    labels = best_identifier(world.model, states=states, mask=mask, gold=places(TITLE))

    def total(title: list[int]) -> float:
        return sum(
            float(log_p(world, QUESTIONS[0], title[:t])[title[t]]) for t in range(len(title))
        )

    likeliest = max([A, B, END], [A, C, E, END], key=total)
    assert [t for t in labels[0].tolist() if t >= 0] == likeliest
    assert labels[1].tolist() == [B, END, -100, -100]
    assert labels[2].tolist() == [-100] * 4


@pytest.mark.parametrize("steps", [2, 3, 6])
def test_the_greedy_span_stays_in_the_relevant_bodies(world: Toy, steps: int) -> None:
    ids, mask = prompts()
    states = encode(world.model, ids, mask)
    gold = places(BODY)
    found = greedy_span(world.model, states=states, mask=mask, gold=gold, steps=steps)
    for question, expected in enumerate(spans(gold)):
        left = [span[:steps] for span in expected if len(span) >= steps]
        path: list[int] = []
        while left and len(path) < steps:
            scores = log_p(world, QUESTIONS[question], path)
            path.append(max({s[len(path)] for s in left}, key=lambda token: float(scores[token])))
            left = [s for s in left if s[: len(path)] == path]
        assert found[question].tolist() == (path or [-100] * steps)


@pytest.mark.parametrize("view", [BODY, TITLE], ids=["body", "title"])
def test_the_forced_choice_is_the_likeliest_token_that_occurs(
    world: Toy, view: SearchedView
) -> None:
    ids, mask = prompts()
    labels = np.asarray([[A, C, E, -100], [D, C, -100, -100], [-100] * 4])
    if view is TITLE:
        labels = np.asarray([[A, C, E, END], [B, END, -100, -100], [-100] * 4])
    chosen = teacher_forced_choice(
        world.model,
        states=encode(world.model, ids, mask),
        mask=mask,
        labels=labels,
        view=view,
        index=world.index,
        is_marker=world.is_marker,
    )
    begin = (BEGIN,) if view is TITLE else ()
    for question, row in enumerate(labels.tolist()):
        for t, label in enumerate(row):
            if label < 0:
                assert chosen[question, t] == -100
                continue
            allowed = followers(world.stream, (*begin, *row[:t]))
            allowed -= {BEGIN, CLOSE} | ({END} if view is BODY else set())
            scores = log_p(world, QUESTIONS[question], row[:t])
            assert chosen[question, t] == max(allowed, key=lambda token: float(scores[token]))


def test_a_choice_may_leave_for_another_gold_identifier() -> None:
    labels = np.asarray([[A, B, END, -100], [B, END, -100, -100], [-100] * 4])
    chosen = np.asarray([[A, C, C, -100], [A, END, -100, -100], [-100] * 4])
    assert stays_gold(places(TITLE), labels=labels, chosen=chosen).tolist() == [
        [True, True, False, False],
        [False, True, False, False],
        [False] * 4,
    ]
