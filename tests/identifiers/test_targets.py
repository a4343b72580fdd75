"""Stage 1's targets: the distribution of spans and views, and what a batch holds."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from ltrgr.corpus.records import Passage, Query, Split
from ltrgr.data.target_sampler import TargetSampler, inverse_document_frequency
from ltrgr.identifiers.serialise import SerialisedCorpus, serialise
from ltrgr.identifiers.targets import draw_span
from ltrgr.identifiers.tokenised import tokenise_questions
from ltrgr.identifiers.views import Family
from ltrgr.identifiers.vocabulary import Vocabulary
from tiny_world import BODY, QUERY, TITLE, small_vocabulary, word_piece

FAMILY = Family({"title": TITLE, "body": BODY, "query": QUERY})
PASSAGES = [
    Passage(
        "a",
        "Ada Lovelace",
        "Ada Lovelace wrote long notes on the analytical engine that Charles Babbage designed.",
        ("who wrote notes on the engine", "who designed the engine"),
    ),
    Passage(
        "b", "Bob", "Bob ran a very long way from one end of the island to the other.", ("who ran",)
    ),
    Passage("c", "Carl", "Carl slept."),
]
SPLIT = Split(
    queries=(
        Query("1", "who wrote notes on the engine"),
        Query("2", "who ran"),
        Query("3", "where did Bob run"),
    ),
    qrels={"1": {"a": 1}, "2": {"b": 1, "c": 0}, "3": {"b": 1, "c": 1}},
)
SPAN = 4


class World:
    def __init__(
        self,
        unsupervised: float = 0.0,
        max_target_length: int = 32,
        max_question_length: int = 64,
        field_temperature: float = math.inf,
        passages: list[Passage] = PASSAGES,
        split: Split = SPLIT,
    ) -> None:
        self.vocabulary: Vocabulary = small_vocabulary(passages, FAMILY)
        self.corpus: SerialisedCorpus = serialise(passages, vocabulary=self.vocabulary)
        self.questions = tokenise_questions(split, passages, vocabulary=self.vocabulary)
        self.sampler = TargetSampler(
            vocabulary=self.vocabulary,
            corpus=self.corpus,
            questions=self.questions,
            span_length=SPAN,
            temperature=0.5,
            field_temperature=field_temperature,
            unsupervised=unsupervised,
            max_question_length=max_question_length,
            max_target_length=max_target_length,
        )

    def draw(self, pair: int, n: int) -> list[tuple[str, list[int], list[int]]]:
        """(view, source ids, target ids) of n draws for one pair."""
        batch = self.sampler.batch(np.full(n, pair), np.random.default_rng(5))
        view_of = {self.vocabulary.token_id(f"<{name}>"): name for name in FAMILY.names}
        rows = []
        for ids, mask, labels in zip(
            batch.prompt_ids, batch.prompt_mask, batch.labels, strict=True
        ):
            prompt = ids[mask.bool()].tolist()
            assert set(ids[~mask.bool()].tolist()) <= {self.vocabulary.pad_id}
            padding = (labels == -100).tolist()
            assert padding == sorted(padding)  # none before a token
            rows.append((view_of[prompt[-1]], prompt[:-1], labels[labels >= 0].tolist()))
        return rows

    def ids(self, text: str) -> list[int]:
        return self.vocabulary.encode([text])[0].tolist()

    def marker(self, name: str) -> int:
        return self.vocabulary.token_id(name)


def test_a_question_is_known_as_its_own_copy_however_little_the_model_reads() -> None:
    world = World(max_question_length=3)
    copied = [*world.ids("who wrote notes on the engine"), world.marker("</query>")]
    drawn = world.draw(0, 300)
    assert all(target != copied for _, _, target in drawn)
    assert any(view == "query" for view, _, _ in drawn)
    begin = [t for t in drawn[0][1] if not world.vocabulary.is_marker[t]]
    assert begin == world.ids("who wrote notes on the engine")[:3]


def test_a_passage_without_a_token_is_never_drawn() -> None:
    """The pairs of "z" go; a draw without a question falls on the others alone."""
    passages = [
        Passage("a", "oak", "oak tree"),
        Passage("z", "", "\u200b"),
        Passage("b", "elm", ""),
    ]
    vocabulary = Vocabulary(word_piece(["oak tree elm what is"]), FAMILY)
    corpus = serialise(passages, vocabulary=vocabulary)
    queries = (Query("1", "what is"), Query("2", "is elm"))
    split = Split(queries, {"1": {"z": 1}, "2": {"b": 1, "z": 1}})
    known = tokenise_questions(split, passages, vocabulary=vocabulary)
    for unsupervised in (0.0, 1.0):
        sampler = TargetSampler(
            vocabulary=vocabulary,
            corpus=corpus,
            questions=known,
            span_length=SPAN,
            temperature=0.5,
            field_temperature=1.0,
            unsupervised=unsupervised,
            max_question_length=8,
            max_target_length=8,
        )
        assert sampler.n_pairs == 1
        labels = sampler.batch(np.zeros(200, np.int64), np.random.default_rng(0)).labels
        elm, oak = (vocabulary.encode([word])[0].tolist()[0] for word in ("elm", "oak"))
        first = set(labels[:, 0].tolist())
        assert first == ({elm} if unsupervised == 0 else {elm, oak})
        again = sampler.batch_for_questions(
            np.array([1]), each=5, generator=np.random.default_rng(0)
        )
        assert unsupervised or set(again.labels[:, 0].tolist()) == {elm}


def test_spans_are_cut_to_the_longest_target() -> None:
    world = World(max_target_length=SPAN - 1)
    assert {len(t) for view, _, t in world.draw(0, 200) if view == "body"} == {SPAN - 1}


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def frequencies(
    text: list[int], question: list[int], length: int, temperature: float
) -> list[float]:
    weight = np.ones(20)
    weight[3] = 0.5
    array = [np.asarray(x, np.int32) for x in (text, question)]
    n = 4000
    uniforms = (np.arange(n) + 0.5) / n
    starts = [draw_span(*array, weight, length, temperature, u) for u in uniforms]
    return (np.bincount(starts, minlength=max(1, len(text) - length + 1)) / n).tolist()


def test_spans_follow_the_overlap() -> None:
    """Windows of [1 2 3 4 5] of length 3, question {3, 5}: overlaps .5, .5, 1.5 (3 weighs .5)."""
    expected = np.exp(np.array([0.5, 0.5, 1.5]) / 0.7)
    found = frequencies([1, 2, 3, 4, 5], [3, 5], 3, 0.7)
    np.testing.assert_allclose(found, expected / expected.sum(), atol=1e-3)


def test_a_question_token_counts_once_however_often_it_stands() -> None:
    expected = np.exp(np.array([0.0, 1.0]))
    found = frequencies([1, 2, 2], [2, 2, 2], 2, 1.0)  # windows [1 2] and [2 2]: overlap 1 each
    np.testing.assert_allclose(found, [0.5, 0.5], atol=1e-3)
    found = frequencies([1, 7, 2], [2, 2], 2, 1.0)  # windows [1 7] and [7 2]: overlaps 0 and 1
    np.testing.assert_allclose(found, expected / expected.sum(), atol=1e-3)


def test_without_question_spans_are_uniform() -> None:
    np.testing.assert_allclose(frequencies([1, 2, 3, 4], [], 2, 0.5), [1 / 3] * 3, atol=1e-3)


def test_a_short_text_has_one_span() -> None:
    assert frequencies([1, 2], [1], 5, 0.5) == [1.0]


def test_inverse_document_frequency_by_hand(world: World) -> None:
    """Of three passages: a word of one weighs 1, of all 0, of two log(3/2) / log 3."""
    weight = inverse_document_frequency(world.corpus, size=len(world.vocabulary))
    (full_stop,) = set(world.ids("slept.")) - set(world.ids("slept"))
    assert weight[full_stop] == 0
    assert weight[world.marker("</passage>")] == 0
    assert weight[world.marker("<query>")] == pytest.approx(math.log(1.5) / math.log(3))
    begins_lovelace = world.ids("Lovelace")[0]
    assert (world.corpus.tokens == begins_lovelace).sum() == 2  # title and text of one passage
    assert weight[begins_lovelace] == pytest.approx(1.0)


def test_shares_of_views_follow_their_draws(world: World) -> None:
    """Pair 0, whose own question cannot be drawn: the view's share goes to the other one."""
    rows = world.draw(0, 6000)
    share = {name: sum(view == name for view, *_ in rows) / len(rows) for name in FAMILY.names}
    total = 3 + 10 + 5
    for name, weight in (("title", 3), ("body", 10), ("query", 5)):
        p = weight / total
        assert abs(share[name] - p) < 5 * math.sqrt(p * (1 - p) / len(rows))


def test_pseudo_queries_follow_their_overlap_with_the_question() -> None:
    """Pair 2 asks "where did Bob run"; a second pseudo-query shares "where" and "did" with it."""
    passages = [PASSAGES[0], replace(PASSAGES[1], pseudo_queries=("who ran", "where did it end"))]
    split = Split(queries=SPLIT.queries[2:], qrels={"3": {"b": 1}})
    world = World(passages=passages, split=split, field_temperature=0.4)
    question = world.ids("where did Bob run")
    weight = inverse_document_frequency(world.corpus, size=len(world.vocabulary))
    odds = []
    for text in passages[1].pseudo_queries:
        shared = set(question) & set(world.ids(text))
        odds.append(math.exp(sum(weight[token] for token in shared) / 0.4))
    drawn = [target for view, _, target in world.draw(0, 6000) if view == "query"]
    ends = sum(target[:-1] == world.ids("where did it end") for target in drawn) / len(drawn)
    assert odds[1] > 1.5 * odds[0]
    assert abs(ends - odds[1] / sum(odds)) < 5 * math.sqrt(0.25 / len(drawn))


def test_a_question_is_never_its_own_target(world: World) -> None:
    own = [*world.ids("who wrote notes on the engine"), world.marker("</query>")]
    other = [*world.ids("who designed the engine"), world.marker("</query>")]
    targets = [target for view, _, target in world.draw(0, 3000) if view == "query"]
    assert own not in targets
    assert all(target == other for target in targets)


def test_a_passage_whose_only_pseudo_query_is_the_question_gives_none(world: World) -> None:
    assert {view for view, *_ in world.draw(1, 500)} == {"title", "body"}


def test_targets_belong_to_the_right_passage(world: World) -> None:
    for pair, passage in enumerate([0, 1, 1, 2]):
        question = SPLIT.queries[[0, 1, 2, 2][pair]]
        p = PASSAGES[passage]
        text = world.ids(p.text)
        spans = [text[i : i + SPAN] for i in range(max(1, len(text) - SPAN + 1))]
        allowed = {
            "title": [[*world.ids(p.title), world.marker("</title>")]],
            "body": spans,
            "query": [[*world.ids(q), world.marker("</query>")] for q in p.pseudo_queries],
        }
        rows = world.draw(pair, 300)
        for view, source, target in rows:
            assert source == world.ids(question.text)
            assert target in allowed[view]


def test_spans_of_a_question_prefer_its_words(world: World) -> None:
    """Most spans drawn for "who wrote notes on the engine" hold "notes", few without a hint do."""

    def share(rows: list[tuple[str, list[int], list[int]]]) -> float:
        spans = [set(target) for view, _, target in rows if view == "body"]
        notes = set(world.ids("notes")) - set(world.ids("who ran a Bob slept"))
        return sum(bool(notes & span) for span in spans) / len(spans)

    without = [
        row
        for row in World(unsupervised=1.0).draw(0, 3000)
        if row[2][0] in world.ids(PASSAGES[0].text)
    ]
    assert share(world.draw(0, 3000)) > 1.3 * share(without)


def test_the_prompt_is_the_one_of_search(world: World) -> None:
    batch = world.sampler.batch(np.zeros(40, dtype=np.int64), np.random.default_rng(1))
    (question,) = world.vocabulary.encode([SPLIT.queries[0].text])
    prompts = {
        tuple(world.vocabulary.prompt(question, name, longest=64).tolist()) for name in FAMILY.names
    }
    drawn = {
        tuple(ids[mask.bool()].tolist())
        for ids, mask in zip(batch.prompt_ids, batch.prompt_mask, strict=True)
    }
    assert drawn == prompts


def test_unsupervised_sources_are_spans_of_the_targets_passage() -> None:
    world = World(unsupervised=1.0)
    rows = world.draw(0, 600)
    texts = [world.ids(p.text) for p in PASSAGES]
    seen = set()
    for view, source, target in rows:
        n = len(source)
        owners = [
            i
            for i, text in enumerate(texts)
            if any(text[j : j + n] == source for j in range(len(text) - n + 1))
        ]
        assert len(owners) == 1
        assert min(SPAN, len(texts[owners[0]])) <= n < 2 * SPAN
        seen.add(owners[0])
        if view == "title":
            assert target == [*world.ids(PASSAGES[owners[0]].title), world.marker("</title>")]
    assert seen == {0, 1, 2}  # although every draw was for pair 0


def test_share_of_unsupervised_pairs() -> None:
    world = World(unsupervised=0.3)
    question = world.ids(SPLIT.queries[0].text)
    rows = world.draw(0, 4000)
    share = sum(source != question for _, source, _ in rows) / len(rows)
    assert abs(share - 0.3) < 5 * math.sqrt(0.3 * 0.7 / len(rows))


def test_a_long_target_is_cut_but_keeps_its_end_marker() -> None:
    world = World(max_target_length=5)
    queries = {tuple(target) for view, _, target in world.draw(0, 500) if view == "query"}
    ids = world.ids("who designed the engine")
    assert queries == {(*ids[:4], world.marker("</query>"))}


def test_same_seed_and_step_same_batch(world: World) -> None:
    pairs = np.array([0, 1, 2, 3])
    first, second, other = (
        world.sampler.batch(pairs, np.random.default_rng(seed)) for seed in ((3, 1), (3, 1), (3, 2))
    )
    assert first.labels.equal(second.labels)
    assert first.prompt_ids.equal(second.prompt_ids)
    assert not (first.labels.shape == other.labels.shape and first.labels.equal(other.labels))


def test_targets_for_questions_keep_to_their_relevant_passages(world: World) -> None:
    batch = world.sampler.batch_for_questions(
        np.array([2, 0]), each=30, generator=np.random.default_rng(0)
    )
    assert len(batch.labels) == 60
    titles = {(*world.ids(p.title), world.marker("</title>")): p.id for p in PASSAGES}
    found: list[set[str]] = [set(), set()]
    for row, labels in enumerate(batch.labels):
        name = titles.get(tuple(labels[labels >= 0].tolist()))
        if name:
            found[row // 30].add(name)
    assert found == [{"b", "c"}, {"a"}]
