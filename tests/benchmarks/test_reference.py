"""The plain Python reference agrees with the index, and a tiny run fills every row."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[2]))  # plain `pytest` does not look there

from benchmarks.anchors import ANCHORS
from benchmarks.decoding import SHAPES
from benchmarks.measure import Row
from benchmarks.reference import Reference
from benchmarks.report import ReportError, as_plain, compare, line, read
from benchmarks.resample import resample
from benchmarks.run import main
from benchmarks.scoring import draw_keys
from benchmarks.walk import Pool, index_part, walk, walk_in_python
from benchmarks.world import World, world_of

from ltrgr.corpus.records import Corpus
from ltrgr.index.fm_index import FMIndex
from ltrgr.index.shards import Shards
from ltrgr.scoring.scoring_settings import ScoringSettings
from ltrgr.scoring.search.passages import score_passages
from ltrgr.scoring.weights import key_weights


@pytest.fixture(scope="module")
def world(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> World:
    directory = tmp_path_factory.mktemp("bench")
    return world_of(corpus, n_tokens=None, vocabulary_size=400, directory=directory)


@pytest.fixture(scope="module")
def index(world: World) -> FMIndex:
    return FMIndex.build(
        tokens=world.tokens,
        offsets=world.offsets,
        vocabulary_size=len(world.vocabulary),
        directory=world.index_directory,
    )


@pytest.fixture(scope="module")
def reference(world: World) -> Reference:
    return Reference(world.tokens.tolist(), world.offsets.tolist())


@pytest.mark.parametrize("length", [1, 2, 4])
def test_places_and_next_tokens(
    world: World, index: FMIndex, reference: Reference, length: int
) -> None:
    for span in world.spans(np.random.default_rng(length), 20, length + 1).tolist():
        key, token = tuple(span[:length]), span[length]
        lo, hi = index.interval(key)
        ends = reference.ends(key)
        longer_lo, longer_hi = index.extend([lo], [hi], [token])
        _, positions = index.locate([lo], [hi], [length])
        _, tokens, counts = index.allowed([lo], [hi])
        assert sorted(positions.tolist()) == [end - length for end in ends]
        assert longer_hi[0] - longer_lo[0] == len(reference.extend(ends, token))
        assert dict(zip(tokens.tolist(), counts.tolist(), strict=True)) == reference.allowed(ends)
        passages = [reference.passage_of(int(position)) for position in positions]
        assert index.passage_of(positions).tolist() == passages
        assert index.passage_tokens(passages[0]).tolist() == reference.passage_tokens(passages[0])


def test_a_search_by_hand() -> None:
    # Text: a b a c | with markers {9}. From the root only a, b, c may begin.
    reference = Reference([1, 2, 1, 3, 9], [0, 5])
    first = [0.0, -1.0, -2.0, -0.5, *[0.0] * 6]
    after_c, after_a = [-0.1] * 10, [0.0, 0.0, -3.0, -0.25, *[0.0] * 6]
    history = walk_in_python(reference, [[first], [after_c, after_a]], markers={9}, num_beams=2)
    assert [(h.tokens, h.score) for h in history[0]] == [((3,), -0.5), ((1,), -1.0)]
    # After c only the marker follows; after a: b (-1 - 3) and c (-1 - .25).
    assert [(h.tokens, h.score) for h in history[1]] == [((1, 3), -1.25), ((1, 2), -4.0)]
    assert [h.ends for h in history[1]] == [[4], [2]]


def test_search_takes_the_same_beams(world: World, index: FMIndex, reference: Reference) -> None:
    pool, num_beams, is_marker = Pool(world, rows=15, seed=3), 15, world.vocabulary.is_marker
    drawn = [pool.draw(num_beams if step else 1) for step in range(6)]
    _, steps, found = walk(index, drawn, is_marker=is_marker, questions=1, num_beams=num_beams)
    log_p = [(logits - normaliser[:, None]).tolist() for logits, normaliser in drawn]
    markers = set(np.flatnonzero(is_marker).tolist())
    expected = walk_in_python(reference, log_p, markers=markers, num_beams=num_beams)
    for (token, score), beam in zip(found, expected, strict=True):
        assert token[0, : len(beam)].tolist() == [h.tokens[-1] for h in beam]
        np.testing.assert_allclose(score[0, : len(beam)], [h.score for h in beam], rtol=1e-5)
        assert not np.isfinite(score[0, len(beam) :]).any()
    for step, beam in zip(steps[1:], expected, strict=False):
        assert (step.hi - step.lo)[: len(beam)].tolist() == [len(h.ends) for h in beam]
    index_part(index, steps)


@pytest.mark.parametrize(("unigrams", "max_candidate_count"), [(0, 1500), (50, 1500), (50, 4)])
def test_passage_scores(
    world: World, index: FMIndex, reference: Reference, unigrams: int, max_candidate_count: int
) -> None:
    settings = ScoringSettings(max_candidate_count=max_candidate_count, candidates=60)
    rng = np.random.default_rng(unigrams + max_candidate_count)
    keys = draw_keys(world, index, rng, questions=1, unigrams=unigrams)
    weights = key_weights(
        keys.log_probability, keys.count, n_tokens=index.n_tokens, settings=settings
    )
    assert (weights > 0).all()
    marker = world.vocabulary.is_marker
    lists = score_passages(keys, weights, Shards([index]), settings=settings, marker=marker, k=40)
    expected = reference.passage_scores(
        [tuple(k.tolist()) for k in np.split(keys.tokens, keys.token_offsets[1:-1])],
        weights.tolist(),
        markers=set(np.flatnonzero(marker).tolist()),
        coverage=settings.coverage,
        most=40,
        max_candidate_count=max_candidate_count,
        candidates=60,
        k=40,
    )
    assert len(expected) == 40
    np.testing.assert_allclose(lists.score[0], [score for _, score in expected], rtol=1e-9)
    assert lists.passage[0].tolist() == [passage for passage, _ in expected]


def test_resampled_passages_keep_bigrams_and_fields(world: World) -> None:
    is_marker = world.vocabulary.is_marker
    n = 4 * len(world.tokens)
    tokens, offsets = resample(
        tokens=world.tokens, offsets=world.offsets, is_marker=is_marker, n=n, seed=1
    )
    assert offsets[-1] == len(tokens)
    assert n <= len(tokens) < n + 2000
    bigrams = set(pairwise(world.tokens.tolist()))
    markers = [token for token in world.tokens[: world.offsets[1]].tolist() if is_marker[token]]
    for begin, end in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        passage = tokens[begin:end].tolist()
        assert set(pairwise(passage)) <= bigrams
        assert [token for token in passage if is_marker[token]] == markers
    spans = {tuple(window) for window in np.lib.stride_tricks.sliding_window_view(world.tokens, 40)}
    long = np.lib.stride_tricks.sliding_window_view(tokens, 40)[::37]
    copied = np.mean([tuple(window) in spans for window in long])
    assert copied < 0.5  # most long spans are new


def test_a_tiny_run_fills_every_row(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr("benchmarks.run.make_world", _tiny_world(corpus))
    out = tmp_path / "base.json"
    arguments = ["--repeats", "1", "--model-repeats", "1", "--model", "none", "--questions", "4"]
    assert main([*arguments, "--out", str(out)]) == 0
    rows = {row["name"]: row for row in read(out)["rows"]}
    missing = {name for name in ANCHORS if "bart-base" not in name} - rows.keys()
    assert not missing
    for questions, num_beams in SHAPES:
        name = f"decoding/{questions}x{num_beams}"
        assert {"python"} == rows[f"{name} with top-k"]["references"].keys()
        assert {"generate"} == rows[f"{name} tiny: constraint"]["references"].keys()
    shares = [row["median"] for name, row in rows.items() if name.startswith("mining/share")]
    assert sum(shares) == pytest.approx(100)
    assert all(
        row["values"] and row["low"] <= row["median"] <= row["high"] for row in rows.values()
    )
    printed = capsys.readouterr().out
    assert all(name in printed for name in rows)
    assert main(["--compare", str(out), "--new", str(out)]) == 0
    assert "1.00" in capsys.readouterr().out


def _tiny_world(corpus: Corpus) -> Callable[..., World]:
    def make(*, path: object, n_tokens: object, vocabulary_size: object, directory: Path) -> World:
        return world_of(corpus, n_tokens=None, vocabulary_size=400, directory=directory)

    return make


def test_a_line_says_how_it_stands() -> None:
    row = Row(
        name="scoring/with unigrams",
        unit="ms/question",
        values=[4.0, 3.0, 9.0],
        references={"python": 400.0},
    )
    shown = line(row, n_tokens=3_000_000)
    assert "3..9" in shown
    assert "<= 6 ok" in shown
    assert "python 400 (100x), SEAL 1,020 (255x)" in shown
    assert "<= 12 ok" in line(row, n_tokens=100_000_000)
    slow = Row(name="build/tokens per second", unit="M/s", values=[1.5])
    assert ">= 3 NO" in line(slow, n_tokens=100_000_000)


def test_comparison_of_two_commits() -> None:
    def report(*values: float, tokens: int = 9) -> dict:
        rows = as_plain([Row(name="a/b", unit="ms", values=list(values))])
        return {"corpus": {"tokens": tokens}, "rows": rows, "environment": {}}

    assert "0.50 *" in compare(report(4.0, 4.1, 3.9), report(2.0, 2.1, 1.9))
    assert "0.50 *" not in compare(report(4.0, 4.1, 2.0), report(2.0, 2.1, 1.9))
    assert "0.50" in compare(report(4.0), report(2.0))
    assert "0.50 *" not in compare(report(4.0), report(2.0))  # one repeat has no spread
    with pytest.raises(ReportError, match="expected the same"):
        compare(report(1.0), report(1.0, tokens=8))


def test_a_foreign_file_is_no_report(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text(json.dumps([1]))
    with pytest.raises(ReportError, match="expected a report"):
        read(path)
