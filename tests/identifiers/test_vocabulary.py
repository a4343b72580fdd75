"""Text to ids: markers, prompts and their frames."""

from __future__ import annotations

import numpy as np
import pytest

from ltrgr.corpus.records import Passage
from ltrgr.identifiers.vocabulary import Vocabulary, _frame
from tiny_world import MINDER, small_vocabulary, word_piece

TEXT = "Ada Lovelace wrote notes on the engine of Charles Babbage in London"


@pytest.fixture(scope="module")
def bpe() -> Vocabulary:
    return small_vocabulary([Passage("p", "Ada Lovelace", TEXT)])


@pytest.fixture(scope="module")
def pieces() -> Vocabulary:
    return Vocabulary(word_piece([TEXT]), MINDER)


@pytest.mark.parametrize("kind", ["bpe", "pieces"])
def test_marker_names_in_raw_text_stay_text(kind: str, request: pytest.FixtureRequest) -> None:
    vocabulary = request.getfixturevalue(kind)
    hostile = "Ada <title> wrote </title> <body> notes </passage> <query>"
    (ids,) = vocabulary.encode([hostile])
    assert not vocabulary.is_marker[ids].any()
    # An ordinary call of the tokenizer would make markers of them, and leaves no trace behind.
    assert vocabulary.is_marker[vocabulary.tokenizer(hostile)["input_ids"]].any()
    (again,) = vocabulary.encode([hostile])
    np.testing.assert_array_equal(ids, again)


def test_special_tokens_of_the_model_in_raw_text_stay_text(bpe: Vocabulary) -> None:
    (ids,) = bpe.encode(["notes </s> <pad> on"])
    assert not set(ids.tolist()) & set(bpe.tokenizer.all_special_ids)
    assert bpe.text(ids) == "notes </s> <pad> on"


def test_a_word_has_the_same_ids_wherever_it_stands(bpe: Vocabulary) -> None:
    title, body, question = bpe.encode(["Ada Lovelace", f"In 1843 {TEXT}", "who was Ada Lovelace"])
    n = len(title)

    def holds(ids: np.ndarray) -> bool:
        return any((ids[i : i + n] == title).all() for i in range(len(ids) - n + 1))

    assert holds(body)
    assert holds(question)


def test_white_space_does_not_matter(bpe: Vocabulary) -> None:
    plain, wild = bpe.encode(["Ada Lovelace wrote", "  Ada\n\tLovelace   wrote "])
    np.testing.assert_array_equal(plain, wild)


def test_a_text_comes_back(bpe: Vocabulary) -> None:
    assert bpe.text(bpe.encode([TEXT])[0]) == TEXT


def test_markers_are_in_the_vocabulary_once_and_last(bpe: Vocabulary) -> None:
    expected = ["</passage>", "<title>", "</title>", "<body>", "<query>", "</query>"]
    assert MINDER.markers == expected
    ids = [bpe.token_id(marker) for marker in expected]
    assert sorted(ids) == list(range(len(bpe) - 6, len(bpe)))
    assert bpe.is_marker.sum() == 6
    assert bpe.is_marker[ids].all()


def test_a_vocabulary_over_a_vocabulary_adds_nothing(bpe: Vocabulary) -> None:
    size = len(bpe)
    assert len(Vocabulary(bpe.tokenizer, MINDER)) == size


def test_prompt_of_byte_level_bpe_is_question_and_marker(bpe: Vocabulary) -> None:
    (question,) = bpe.encode(["who wrote notes"])
    prompt = bpe.prompt(question, "title", longest=64)
    assert prompt.tolist() == [*question.tolist(), bpe.token_id("<title>")]


def test_prompt_of_word_pieces_stands_between_cls_and_sep(pieces: Vocabulary) -> None:
    (question,) = pieces.encode(["who wrote notes"])
    prompt = pieces.prompt(question, "body", longest=64)
    cls, sep = 2, 3
    assert prompt.tolist() == [cls, *question.tolist(), pieces.token_id("<body>"), sep]
    before, after = pieces.prompt_frame("body")
    assert before.tolist() == [cls]
    assert after.tolist() == [pieces.token_id("<body>"), sep]


def test_a_long_question_is_cut_and_keeps_its_marker(pieces: Vocabulary) -> None:
    (question,) = pieces.encode([TEXT])
    prompt = pieces.prompt(question, "query", longest=2)
    assert prompt.tolist() == [2, *question[:2].tolist(), pieces.token_id("<query>"), 3]


def test_padding_by_hand(bpe: Vocabulary) -> None:
    rows = [np.array([5, 6, 7], np.int32), np.array([8], np.int32)]
    ids, mask = bpe.pad(rows)
    pad = bpe.pad_id
    assert ids.tolist() == [[5, 6, 7], [8, pad, pad]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]
    assert ids.dtype == mask.dtype == np.int64


def test_no_text_no_ids(bpe: Vocabulary) -> None:
    assert bpe.encode([]) == []


def test_a_tokenizer_whose_frame_changes_the_text_is_refused() -> None:
    def changes(text: str, *, add_special_tokens: bool = True) -> dict[str, list[int]]:
        return {"input_ids": [2, 9, 3] if add_special_tokens else [1]}

    with pytest.raises(ValueError, match="use another one"):
        _frame(changes)
