"""Every file of a finished pipeline x damage x readers: right, rebuilt or one clear line.

The fast part takes each file with a few of the damages, in turn, and the readers that take
milliseconds with all of them; the slow part is the whole product.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from artefact_damage import (
    DAMAGES,
    GOOD,
    QUICK,
    READERS,
    REBUILT,
    RIGHT,
    SLOW,
    TOLD,
    Reader,
    World,
    read_search,
    resume,
)

from ltrgr.corpus.records import Corpus
from ltrgr.training.learning_to_rank import LearningToRank
from tiny_pipeline import pipeline

Case = tuple[str, str]


@pytest.fixture(scope="module")
def world(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("fuzzed")
    run = pipeline(folder / "whole", corpus)
    for system in ("bm25", "pretrain", "rank"):
        run.evaluate(system)
    return World(whole=folder / "whole", root=folder / "root", corpus=corpus)


def fuzz(world: World, cases: Sequence[Case], *, name: str, read: Reader) -> Counter[str]:
    """The number of each outcome; fails with every case that has another one."""
    right = world.right(name, read)
    found = {case: world.outcome(*case, read=read, right=right) for case in cases}
    bad = [f"{name} x {case}: {one}" for case, one in found.items() if one not in GOOD]
    assert not bad, "\n".join(bad)
    return Counter(found.values())


def all_cases(world: World) -> list[Case]:
    return [(file, damage) for file in world.files() for damage in DAMAGES]


@pytest.mark.parametrize("reader", QUICK)
def test_quick_readers_of_a_damaged_artefact(world: World, reader: str) -> None:
    cases = all_cases(world)[::16]  # 15 damages: files meet all of them in turn
    counts = fuzz(world, cases, name=reader, read=QUICK[reader])
    assert counts[TOLD] > 5 and counts[RIGHT] > 10
    assert sum(counts.values()) == len(cases) > 70


@pytest.mark.parametrize("reader", SLOW)
def test_slow_readers_of_a_damaged_artefact(world: World, reader: str) -> None:
    cases = all_cases(world)[:: {"report": 127, "evaluate": 127, "rank": 211}[reader]]
    counts = fuzz(world, cases, name=reader, read=SLOW[reader])
    assert sum(counts.values()) == len(cases) >= 6


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS)
def test_every_reader_of_every_damage(world: World, reader: str) -> None:
    cases = all_cases(world)
    counts = fuzz(world, cases, name=reader, read=READERS[reader])
    print(f"\n{reader}: {dict(counts)}")
    assert sum(counts.values()) == len(cases) > 1200
    assert counts[TOLD] + counts[REBUILT] > 100  # what the damage changed was seen


class StoppedError(Exception):
    """In place of a kill."""


@pytest.fixture
def begun(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """The same without a finished stage 2, which stopped in the midst of it."""

    whole_step = LearningToRank.training_step

    def stop(module: LearningToRank, *arguments: Any) -> Any:
        if module.global_step == 9:  # of 12; the last checkpoint is of step 8
            raise StoppedError
        return whole_step(module, *arguments)

    shutil.copytree(world.whole, tmp_path / "whole")
    begun = World(whole=tmp_path / "whole", root=tmp_path / "root", corpus=world.corpus)
    run = pipeline(begun.whole, begun.corpus)
    shutil.rmtree(run.ranked.directory)
    with monkeypatch.context() as patched:
        patched.setattr(LearningToRank, "training_step", stop)
        with pytest.raises(StoppedError):
            run.rank()
    return begun


def test_a_stage_goes_on_from_damaged_files(begun: World, world: World) -> None:
    partial = [name for name in begun.files() if ".partial/" in name]
    assert any(name.endswith(".ckpt") for name in partial)
    damages = ["truncated to half", "bit flipped at 40%", "bit flipped at 80%", "pickle", "deleted"]
    cases = [(name, damage) for name in partial for damage in damages]
    counts = fuzz(begun, cases, name="resume", read=resume)
    assert counts[RIGHT] > 5
    assert begun.right("resume", resume) == world.right("rank", SLOW["rank"])


def test_a_planted_pickle_would_be_noticed(world: World) -> None:
    import pickle

    def careless(root: Path, corpus: Corpus) -> tuple[object, bool]:
        for path in root.glob("rank/*/retriever.json"):
            if (content := path.read_bytes())[:1] == b"\x80":
                pickle.loads(content)
        return None, False

    (name,) = [one for one in world.files() if one.startswith("rank/") and "retriever" in one]
    assert world.outcome(name, "pickle", read=careless, right=None) == "foreign code ran"
    assert world.outcome(name, "deleted", read=careless, right=None) == RIGHT
    assert world.outcome(name, "deleted", read=careless, right=1) == "wrong without a word"
    assert world.outcome(name, "pickle", read=read_search, right=None) == TOLD
