"""The constrained beam search against ``generate``, a slow judge, naive scans: law 3 in
docs/method.md.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from judge_search import (
    BEGIN,
    BODY,
    CLOSE,
    END,
    FIRST_WORD,
    TITLE,
    SearchedView,
    Toy,
    as_dicts,
    bart,
    bert_to_bert,
    judge,
    random_passages,
    t5,
    toy,
)
from ltrgr.decoding.model import cumulative_log_probabilities, encode

QUESTIONS = [[7, 8, 9], [10, 7], [12, 12, 8, 9, 11]]
MODELS: dict[str, Callable[[int], Any]] = {"bart": bart, "t5": t5, "bert2bert": bert_to_bert}


@pytest.fixture(scope="module", params=MODELS)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Toy:
    size = FIRST_WORD + 8
    return toy(
        random_passages(words=8, passages=25, seed=3),
        size=size,
        model=MODELS[request.param](size),
        directory=tmp_path_factory.mktemp(request.param),
    )


def de_bruijn(words: int, depth: int) -> list[int]:
    """A cyclic stream with every sequence of ``depth`` words, by the greedy prefer-largest rule."""
    stream = [0] * depth
    seen = {tuple(stream)}
    while True:
        tail = tuple(stream[len(stream) - depth + 1 :])
        fresh = [w for w in range(words - 1, -1, -1) if (*tail, w) not in seen]
        if not fresh:
            return [FIRST_WORD + word for word in stream]
        stream.append(fresh[0])
        seen.add((*tail, fresh[0]))


@pytest.mark.parametrize("num_beams", [1, 4, 9])
@pytest.mark.parametrize("name", MODELS)
def test_equals_generate_where_no_constraint_binds(
    name: str, num_beams: int, tmp_path: Path
) -> None:
    stream = de_bruijn(6, 4)
    assert len({tuple(stream[i : i + 4]) for i in range(len(stream) - 3)}) == 6**4
    size = FIRST_WORD + 6
    world = toy([[*stream, CLOSE]], size=size, model=MODELS[name](size), directory=tmp_path)
    questions = [[7, 8, 9], [10, 7, 7], [12, 12, 8]]
    found = as_dicts(world.search(questions, BODY, num_beams=num_beams))
    ids = torch.tensor(questions)
    expected = world.model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        num_beams=num_beams,
        num_return_sequences=num_beams,
        max_new_tokens=4,
        length_penalty=0.0,
        suppress_tokens=list(range(FIRST_WORD)),
        eos_token_id=2,
        do_sample=False,
        return_dict_in_generate=True,
        output_scores=True,
    )
    for row in range(len(questions)):
        final = [(key, value) for key, value in found[row].items() if len(key) == 4]
        sequences = expected.sequences[row * num_beams : (row + 1) * num_beams, 1:]
        assert [key for key, _ in final] == [tuple(s) for s in sequences.tolist()]
        if num_beams > 1:
            scores = expected.sequences_scores[row * num_beams : (row + 1) * num_beams]
            np.testing.assert_allclose([v for _, v in final], scores.numpy(), atol=2e-5)


@pytest.mark.parametrize("num_beams", [1, 3, 40])
@pytest.mark.parametrize("view", [BODY, TITLE], ids=["body", "title"])
def test_equals_a_slow_search_without_index(world: Toy, view: SearchedView, num_beams: int) -> None:
    """40 beams are more than there are titles: the beams run empty before the steps do."""
    found = as_dicts(world.search(QUESTIONS, view, num_beams=num_beams))
    for question, keys in zip(QUESTIONS, found, strict=True):
        expected = judge(world, question, view, num_beams=num_beams)
        assert keys.keys() == expected.keys()
        for key, value in expected.items():
            assert keys[key] == pytest.approx(value, abs=1e-4)


def test_with_enough_beams_every_title_is_found(world: Toy) -> None:
    found = as_dicts(world.search(QUESTIONS, TITLE, num_beams=200))
    stream = world.stream
    begins = [i for i, token in enumerate(stream) if token == BEGIN]
    titles = {tuple(stream[i : stream.index(END, i) + 1]) for i in begins}
    for keys in found:
        assert {key for key in keys if key[-1] == END} == titles


@pytest.mark.parametrize("view", [BODY, TITLE], ids=["body", "title"])
def test_keys_occur_in_their_place_as_often_as_they_say(world: Toy, view: SearchedView) -> None:
    keys = world.search(QUESTIONS, view, num_beams=5).keys
    assert len(keys.lo) > 3 * 5
    assert (keys.view == view.number).all()
    for i in range(len(keys.lo)):
        key = keys.tokens[keys.token_offsets[i] : keys.token_offsets[i + 1]].tolist()
        n = len(key)
        places = [p for p in range(len(world.stream)) if world.stream[p : p + n] == key]
        assert keys.count[i] == len(places) > 0
        if view is TITLE:
            assert key[0] == BEGIN
            assert not {BEGIN, CLOSE} & set(key[1:])
            assert END not in key[1:-1]
        else:
            assert not {BEGIN, END, CLOSE} & set(key)


def test_the_whole_history_is_kept(world: Toy) -> None:
    for view, shortest in ((BODY, 1), (TITLE, 2)):
        for keys in as_dicts(world.search(QUESTIONS, view, num_beams=4)):
            for key in keys:
                for n in range(shortest, len(key)):
                    assert key[:n] in keys
                    assert keys[key[:n]] >= keys[key]


def test_log_p_equals_teacher_forcing(world: Toy) -> None:
    for view, skipped in ((BODY, 0), (TITLE, 1)):
        found = as_dicts(world.search(QUESTIONS, view, num_beams=4))
        for question, keys in zip(QUESTIONS, found, strict=True):
            labels = torch.full((len(keys), 6), -100)
            for row, key in enumerate(keys):
                labels[row, : len(key) - skipped] = torch.tensor(key[skipped:])
            ids = torch.tensor([question])
            mask = torch.ones_like(ids)
            with torch.no_grad():
                forced = cumulative_log_probabilities(
                    world.model,
                    encode(world.model, ids, mask),
                    mask,
                    labels,
                    owner=torch.zeros(len(keys), dtype=torch.long),
                )[:, -1]
            np.testing.assert_allclose(list(keys.values()), forced.numpy(), atol=1e-4)


def test_teacher_forcing_by_hand(world: Toy) -> None:
    """Against the model's plain forward pass, prefix by prefix; padding repeats the last."""
    labels = torch.tensor([[8, 9, 7], [10, -100, -100]])
    ids = torch.tensor([[7, 8], [9, 1]])
    mask = torch.tensor([[1, 1], [1, 0]])
    with torch.no_grad():
        running = cumulative_log_probabilities(
            world.model, encode(world.model, ids, mask), mask, labels, owner=torch.tensor([0, 1])
        )
        start = world.model.config.decoder_start_token_id

        def step(question: list[int], before: list[int], token: int) -> float:
            logits = world.model(
                input_ids=torch.tensor([question]),
                decoder_input_ids=torch.tensor([[start, *before]]),
            ).logits
            return float(logits[0, -1].log_softmax(0)[token])

        first = step([7, 8], [], 8)
        second = first + step([7, 8], [8], 9)
        third = second + step([7, 8], [8, 9], 7)
        other = step([9], [], 10)
    expected = [[first, second, third], [other, other, other]]
    np.testing.assert_allclose(running.numpy(), expected, atol=1e-4)


def test_many_sequences_are_scored_like_each_alone(world: Toy) -> None:
    """Enough of them, of many lengths, to be scored in groups; prompts are shared out of order."""
    random = np.random.default_rng(0)
    ids = torch.tensor([[7, 8, 9], [10, 11, 1], [12, 1, 1]])
    mask = torch.tensor([[1, 1, 1], [1, 1, 0], [1, 0, 0]])
    length = random.integers(1, 7, 80)
    labels = torch.from_numpy(random.integers(FIRST_WORD, FIRST_WORD + 8, (80, 6)))
    labels[torch.arange(6) >= torch.from_numpy(length)[:, None]] = -100
    owner = torch.from_numpy(random.integers(0, 3, 80))
    with torch.no_grad():
        states = encode(world.model, ids, mask)
        together = cumulative_log_probabilities(world.model, states, mask, labels, owner=owner)
        for row in range(80):
            alone = cumulative_log_probabilities(
                world.model, states, mask, labels[row : row + 1], owner=owner[row : row + 1]
            )
            torch.testing.assert_close(together[row : row + 1], alone, rtol=1e-5, atol=1e-5)


def test_the_same_call_twice_gives_the_same_bits(world: Toy) -> None:
    first, second = (world.search(QUESTIONS, TITLE, num_beams=4) for _ in range(2))
    for name in ("tokens", "token_offsets", "lo", "hi", "log_probability", "question_offsets"):
        np.testing.assert_array_equal(getattr(first.keys, name), getattr(second.keys, name))


def test_neighbours_in_the_batch_change_nothing(world: Toy) -> None:
    together = as_dicts(world.search(QUESTIONS, BODY, num_beams=4))
    for question, keys in zip(QUESTIONS, together, strict=True):
        alone = as_dicts(world.search([question], BODY, num_beams=4))[0]
        assert alone.keys() == keys.keys()
        for key, value in alone.items():
            assert keys[key] == pytest.approx(value, abs=1e-5)


def test_first_step_is_the_distribution_over_all_tokens(world: Toy) -> None:
    first = world.search(QUESTIONS, BODY, num_beams=2).first_step
    assert first.shape == (3, FIRST_WORD + 8)
    np.testing.assert_allclose(first.exp().sum(1).numpy(), 1.0, atol=1e-5)
    start = world.model.config.decoder_start_token_id
    with torch.no_grad():
        logits = world.model(
            input_ids=torch.tensor([QUESTIONS[1]]), decoder_input_ids=torch.tensor([[start]])
        ).logits[0, 0]
    np.testing.assert_allclose(first[1].numpy(), logits.log_softmax(0).numpy(), atol=1e-5)


def test_a_view_that_the_corpus_lacks_finds_nothing(tmp_path: Path) -> None:
    size = FIRST_WORD + 3
    world = toy([[7, 8, 9, CLOSE]], size=size, model=bart(size), directory=tmp_path)
    found = world.search([[7], [8, 9]], TITLE, num_beams=3)
    assert found.keys.question_offsets.tolist() == [0, 0, 0]
    assert len(found.keys.tokens) == 0
    assert found.first_step.shape == (2, size)


def test_a_short_passage_ends_the_beams_early(tmp_path: Path) -> None:
    """Three words, no repetition: body keys are exactly its six substrings."""
    size = FIRST_WORD + 3
    world = toy([[7, 8, 9, CLOSE]], size=size, model=bart(size), directory=tmp_path)
    keys = as_dicts(world.search([[7]], SearchedView(number=0, max_new_tokens=10), num_beams=5))[0]
    assert set(keys) == {(7,), (8,), (9,), (7, 8), (8, 9), (7, 8, 9)}


def test_a_model_without_start_token_is_refused() -> None:
    model = bart(FIRST_WORD + 3)
    model.config.decoder_start_token_id = None
    model.generation_config.decoder_start_token_id = None
    with pytest.raises(ValueError, match="decoder_start_token_id; set it"):
        cumulative_log_probabilities(
            model,
            torch.zeros(1, 1, 32),
            torch.ones(1, 1),
            torch.tensor([[7]]),
            owner=torch.tensor([0]),
        )
