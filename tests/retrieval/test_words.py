"""Words in many scripts, BM25 and answers over them."""

from __future__ import annotations

import logging
import re
import unicodedata

import numpy as np
import pytest

from ltrgr import Corpus, train
from ltrgr.corpus.records import Passage
from ltrgr.evaluation.answers import holds_answer
from ltrgr.retrieval.bm25 import BM25
from ltrgr.retrieval.words import words

CHINESE = {
    "北京": "北京是中华人民共和国的首都，有许多古老的宫殿。",
    "长江": "长江是亚洲最长的河流，流经上海入海。",
    "茶": "绿茶是中国最流行的饮料之一，产于杭州。",
}
HINDI = {
    "दिल्ली": "दिल्ली भारत की राजधानी है और यमुना नदी के किनारे है।",
    "गंगा": "गंगा भारत की सबसे पवित्र नदी मानी जाती है।",
    "चाय": "चाय हिंदुस्तान में बहुत लोकप्रिय पेय है।",
}


def passages(texts: dict[str, str]) -> list[Passage]:
    return [Passage(str(i), title, text) for i, (title, text) in enumerate(texts.items())]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Elbe's end, in 1850-60 (old_name)", "the elbe s end in 1850 60 old_name"),
        ("Straße CAFÉ naïve Tromsø", "straße café naïve tromsø"),
        ("हिंदी भाषा", "हिंदी भाषा"),
        ("كِتَاب جديد", "كِتَاب جديد"),
        ("Привет, МИР", "привет мир"),
        ("한국어 위키", "한국어 위키"),
        ("北京的天气", "北京 京的 的天 天气"),
        ("水", "水"),
        ("東京タワーは高い", "東京 京タ タワ ワー ーは は高 高い"),
        ("GPT模型2024年", "gpt 模型 2024 年"),
    ],
)
def test_words_of_a_script(text: str, expected: str) -> None:
    assert words(text) == expected.split()


def test_thai_is_cut_into_pairs_of_letters_with_their_marks() -> None:
    assert words("กินดี") == ["กิน", "นดี"]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_letter_with_an_accent_is_the_same_however_it_was_typed(form: str) -> None:
    text = unicodedata.normalize(form, "Où est le château de Čáslav? हिंदी가")
    assert words(text) == ["où", "est", "le", "château", "de", "čáslav", "हिंदी가"]


def test_english_words_are_those_of_a_plain_expression() -> None:
    text = "It's 3.5 °C – “quoted” text_with _underscores, naïve Ångström ½ x² №5 Ⅷ"
    assert words(text) == re.findall(r"\w+", text.lower())


@pytest.mark.parametrize(
    ("texts", "asked", "best"),
    [
        (CHINESE, "中国的首都在哪里？", 0),
        (CHINESE, "亚洲最长的河流是哪条", 1),
        (CHINESE, "杭州产什么饮料", 2),
        (HINDI, "भारत की राजधानी", 0),
        (HINDI, "सबसे पवित्र नदी कौन सी है", 1),
        (HINDI, unicodedata.normalize("NFD", "लोकप्रिय पेय"), 2),
    ],
)
def test_bm25_finds_the_passage(texts: dict[str, str], asked: str, best: int) -> None:
    found, scores = BM25(passages(texts)).search([asked], 3)
    assert found[0, 0] == best
    assert scores[0, 0] > scores[0, 1]


def test_questions_typed_in_another_form_find_the_same() -> None:
    french = {"a": "Le château fut détruit à l'été 1850.", "b": "La forêt brûle encore."}
    bm25 = BM25(passages(french))
    composed = ["où est la forêt brûlée, forêt", "château détruit"]
    found, scores = bm25.search(composed, 2)
    again = bm25.search([unicodedata.normalize("NFD", text) for text in composed], 2)
    assert found[:, 0].tolist() == [1, 0]
    np.testing.assert_array_equal(found, again[0])
    np.testing.assert_array_equal(scores, again[1])


def test_questions_that_share_no_word_are_reported(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        BM25(passages(CHINESE)).search(["what is the capital?"], 2)
        BM25(passages(CHINESE)).search(["首都", "nothing of this"], 2)
    (record,) = caplog.records
    assert record.message.startswith("BM25: no question shares a word with a passage")


@pytest.mark.parametrize(
    ("text", "answer", "holds"),
    [
        (CHINESE["长江"], "上海", True),
        (CHINESE["长江"], "海上", False),
        ("東京タワーは高い", "タワー", True),
        (HINDI["दिल्ली"], "यमुना नदी", True),
        (HINDI["दिल्ली"], "यमुन", False),  # a part of a word
        (unicodedata.normalize("NFD", "détruit à l'été"), "été", True),
        ("It lies on the Elbe.", "the elbe", True),
        ("It lies on the Elbe.", "Elb", False),
    ],
)
def test_answers(text: str, answer: str, holds: bool) -> None:
    assert holds_answer(text, [answer]) is holds


@pytest.mark.parametrize("texts", [CHINESE, HINDI], ids=["Chinese", "Hindi"])
def test_keys_of_a_constrained_search_occur_in_the_corpus(texts: dict[str, str], tmp_path) -> None:
    """Tokens are bytes there: a key may begin within a character, but it occurs in the stream."""
    corpus = Corpus.from_texts(list(texts.values()), titles=list(texts))
    questions = [(f"{title}?", number) for number, title in enumerate(texts)]
    small = ["budget=smoke", "scoring.unigrams=100", "+scoring.view_offsets.body=10"]
    small += [
        "rank.steps=1",
        "rank.val_check_interval=1",
        "pretrain.batch_size=4",
        "identifiers=seal",
    ]
    retriever = train(corpus, questions, dev=questions, root=tmp_path, overrides=small)
    keys = retriever.keys([text for text, _ in questions])
    (index,) = retriever.index.arrays
    stream = np.asarray(index.text).astype(np.int64)
    assert len(keys.view) > 20
    for number in range(len(keys.view)):
        key = keys.tokens[keys.token_offsets[number] : keys.token_offsets[number + 1]]
        windows = np.lib.stride_tricks.sliding_window_view(stream, len(key))
        count = int((windows == key).all(axis=1).sum())
        assert count == (keys.hi[number] - keys.lo[number]).sum() > 0
    hits = retriever.search(questions[0][0], k=3)
    assert {hit.title for hit in hits} <= set(texts)
