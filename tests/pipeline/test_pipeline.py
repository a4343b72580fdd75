"""The whole pipeline on a tiny corpus: built once, found again, shared, resumed."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.optim import AdamW

from ltrgr.corpus.records import Corpus
from ltrgr.pipeline import rank_stage
from ltrgr.pipeline.artefact import ArtefactError
from ltrgr.pipeline.divergence import DivergedError
from ltrgr.pipeline.evaluate_stage import Measured
from ltrgr.pipeline.pipeline import Pipeline
from ltrgr.retrieval.mined import MinedLists
from ltrgr.retrieval.retriever import Retriever
from ltrgr.scoring.scoring_settings import ScoringSettings
from tiny_pipeline import PRETRAINING, pipeline, ranking
from tiny_world import SEAL

STAGES = ("index", "pretrain", "mine", "rank", "evaluate")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, corpus: Corpus) -> Pipeline:
    """index, stage 1, mined lists, stage 2, measured."""
    built = pipeline(tmp_path_factory.mktemp("pipeline"), corpus)
    built.evaluate("rank")
    return built


def artefacts(root: Path) -> dict[str, float]:
    """Finished artefact -> when its DONE.json was written."""
    found = root.glob("*/*/DONE.json")
    return {str(p.parent.relative_to(root)): p.stat().st_mtime_ns for p in found}


def weights_of(directory: Path) -> dict[str, torch.Tensor]:
    return Retriever.from_pretrained(directory).model.state_dict()


def test_every_stage_leaves_one_finished_artefact(finished: Pipeline) -> None:
    assert sorted(name.split("/")[0] for name in artefacts(finished.root)) == sorted(STAGES)
    assert not list(finished.root.glob("*/*.partial"))
    for artefact in (finished.indexed, finished.pretrained, finished.mined, finished.ranked):
        artefact.verify()


def test_a_second_call_does_nothing(finished: Pipeline, corpus: Corpus) -> None:
    before = artefacts(finished.root)
    again = pipeline(finished.root, corpus)
    assert again.evaluate("rank") == finished.evaluate("rank")
    for verb in (again.index, again.pretrain, again.mine, again.rank):
        verb()
    assert artefacts(finished.root) == before


def test_a_model_outlives_its_index(finished: Pipeline, corpus: Corpus, tmp_path: Path) -> None:
    """An index that is gone, or of an older format, is built again; nothing is trained."""
    shutil.copytree(finished.root, tmp_path / "runs")
    copied = pipeline(tmp_path / "runs", corpus)
    before = artefacts(copied.root)
    shutil.rmtree(copied.indexed.directory)
    texts = [query.text for query in corpus.test.queries[:3]]
    assert copied.open("rank").search(texts) == finished.open("rank").search(texts)

    done = copied.indexed.directory / "DONE.json"
    done.write_text(json.dumps(json.loads(done.read_text()) | {"version": 2}))
    assert copied.open("rank").search(texts) == finished.open("rank").search(texts)
    assert copied.indexed.directory.with_name(f"{copied.indexed.directory.name}.broken-1").is_dir()
    after = artefacts(copied.root)
    assert {name for name in after if after[name] != before.get(name)} == {
        name for name in after if name.startswith("index")
    }


def test_another_heuristic_at_search_trains_nothing_anew(
    finished: Pipeline, corpus: Corpus
) -> None:
    before = artefacts(finished.root)
    same = pipeline(finished.root, corpus)
    same = replace(same, evaluation=replace(same.evaluation, scoring=same.scoring, num_beams=None))
    assert same.evaluate("rank") == finished.evaluate("rank")
    other = replace(
        same,
        evaluation=replace(
            same.evaluation, scoring=ScoringSettings(keys_per_passage=1), num_beams=2
        ),
    )
    assert other.evaluate("rank") != finished.evaluate("rank")
    assert other.ranked == finished.ranked
    assert len(artefacts(finished.root)) == len(before) + 1
    shutil.rmtree(other.evaluate("rank"))  # the module's other tests count artefacts


def test_what_was_measured(finished: Pipeline, corpus: Corpus) -> None:
    directory = finished.evaluate("rank")
    metrics = json.loads((directory / "metrics.json").read_text())
    assert metrics["questions"] == len(corpus.test.queries) == 24
    measured = Measured.load(directory)
    assert set(measured.query_ids) == {query.id for query in corpus.test.queries}
    run: dict[str, list[str]] = {}
    for line in (directory / "run.trec").read_text().splitlines():
        query, _, passage, *_rest = line.split()
        run.setdefault(query, []).append(passage)
    hits = [
        any(corpus.test.qrels[query].get(p, 0) > 0 for p in run.get(query, [])[:5])
        for query in measured.query_ids
    ]
    assert measured.values["hits@5"].tolist() == [float(hit) for hit in hits]
    assert sum(hits) > 0


def test_mined_lists_know_their_questions(finished: Pipeline, corpus: Corpus) -> None:
    mined = MinedLists.load(finished.mine())
    assert len(mined) == 40
    assert sorted(set(mined.question.tolist())) == mined.question.tolist()
    assert mined.question.max() >= 40  # drawn from all 200, not the first
    assert mined.relevance.any()
    for row, question in enumerate(mined.question):
        judged = corpus.train.qrels[corpus.train.queries[question].id]
        for passage, relevant in zip(mined.passage[row], mined.relevance[row], strict=True):
            expected = passage >= 0 and judged.get(corpus.passages[passage].id, 0) > 0
            assert bool(relevant) == expected
        assert (np.diff(mined.score[row][mined.mask[row]]) <= 0).all()


def test_stage_two_settings_share_everything_before(finished: Pipeline, corpus: Corpus) -> None:
    before = artefacts(finished.root)
    other = pipeline(finished.root, corpus, ranking=ranking(size=7.0, steps=4))
    other.rank()
    new = artefacts(finished.root).keys() - before.keys()
    assert [name.split("/")[0] for name in new] == ["rank"]
    assert other.ranked.fingerprint != finished.ranked.fingerprint


def test_another_family_shares_nothing(finished: Pipeline, corpus: Corpus) -> None:
    other = pipeline(finished.root, corpus, family=SEAL)
    for stage in ("indexed", "pretrained", "mined", "ranked"):
        assert getattr(other, stage).fingerprint != getattr(finished, stage).fingerprint


@pytest.mark.parametrize("change", ["scoring", "decoding", "mining"])
def test_search_settings_keep_index_and_stage_one(
    change: str, finished: Pipeline, corpus: Corpus
) -> None:
    from ltrgr.decoding.decoding_settings import DecodingSettings
    from ltrgr.pipeline.settings import MineSettings
    from ltrgr.scoring.scoring_settings import ScoringSettings

    changed: dict[str, Any] = {
        "scoring": ScoringSettings(exponent=1.0),
        "decoding": DecodingSettings(num_beams=3),
        "mining": MineSettings(passages=9, questions=40, seed=0),
    }
    other = pipeline(finished.root, corpus, **{change: changed[change]})
    assert other.indexed.fingerprint == finished.indexed.fingerprint
    assert other.pretrained.fingerprint == finished.pretrained.fingerprint
    assert other.mined.fingerprint != finished.mined.fingerprint
    assert other.ranked.fingerprint != finished.ranked.fingerprint


def test_batch_size_of_search_is_no_identity(finished: Pipeline, corpus: Corpus) -> None:
    from ltrgr.decoding.decoding_settings import DecodingSettings

    other = pipeline(finished.root, corpus, decoding=DecodingSettings(num_beams=4, batch_size=3))
    assert other.mined.fingerprint == finished.mined.fingerprint


def test_stage_two_changed_the_model(finished: Pipeline) -> None:
    first, second = weights_of(finished.pretrain()), weights_of(finished.rank())
    assert any(not torch.equal(first[name], second[name]) for name in first)


def test_a_finished_model_answers_from_its_directory(finished: Pipeline, corpus: Corpus) -> None:
    texts = [query.text for query in corpus.test.queries[:3]]
    direct = finished.open("rank").search(texts, k=5)
    opened = Retriever.from_pretrained(finished.rank()).search(texts, k=5)
    for one, other in zip(opened, direct, strict=True):
        assert [hit.passage.id for hit in one] == [hit.passage.id for hit in other]
        assert [h.score for h in one] == pytest.approx([h.score for h in other], rel=1e-5)


def test_the_best_checkpoint_on_dev_is_the_one_kept(
    finished: Pipeline, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dev says: the validation after step 8 of 4, 8, 12 was the best."""

    class Rigged(rank_stage.OnlineRetrieval):  # type: ignore[name-defined,misc]
        calls = 0

        def compute(self) -> dict[str, torch.Tensor]:
            Rigged.calls += 1
            return {"mrr@10": torch.tensor({1: 0.2, 2: 0.9, 3: 0.5}[Rigged.calls])}

    steps: dict[int, dict[str, torch.Tensor]] = {}
    module = rank_stage.LearningToRank
    validated = module.on_validation_epoch_end

    def spy(self: Any) -> None:
        steps[self.global_step] = {k: v.clone() for k, v in self.model.state_dict().items()}
        validated(self)

    monkeypatch.setattr(rank_stage, "OnlineRetrieval", Rigged)
    monkeypatch.setattr(module, "on_validation_epoch_end", spy)
    other = pipeline(finished.root, corpus, ranking=ranking(seed=5))
    kept = weights_of(other.rank())
    assert sorted(steps) == [4, 8, 12]
    assert all(torch.equal(kept[name], steps[8][name]) for name in kept)
    assert any(not torch.equal(kept[name], steps[12][name]) for name in kept)


class Killed(BaseException):
    """Not caught by anybody, like a signal."""


def kill_at(step: int, module: Any, patch: pytest.MonkeyPatch) -> None:
    honest = module.training_step

    def training_step(self: Any, batch: Any, batch_idx: int) -> Any:
        if self.global_step == step:
            raise Killed
        return honest(self, batch, batch_idx)

    patch.setattr(module, "training_step", training_step)


@pytest.mark.parametrize("step", [14, 20])
def test_a_killed_stage_one_ends_like_an_uninterrupted_one(
    step: int, finished: Pipeline, corpus: Corpus, tmp_path: Path
) -> None:
    """Dropout included: it is drawn by step, not by process."""
    from ltrgr.training.identifier_pretraining import IdentifierPretraining

    resumed = pipeline(tmp_path, corpus)
    with pytest.MonkeyPatch.context() as patch:
        kill_at(step, IdentifierPretraining, patch)
        with pytest.raises(Killed):
            resumed.pretrain()
    assert not resumed.pretrained.is_done()
    assert resumed.pretrained.partial.is_dir()
    expected, found = weights_of(finished.pretrain()), weights_of(resumed.pretrain())
    for name, weights in expected.items():
        torch.testing.assert_close(found[name], weights, rtol=0, atol=0)
    done = json.loads((resumed.pretrained.directory / "DONE.json").read_text())
    assert done["resumed"] is True


class Planted:
    """Writes a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return Path.touch, (self.mark,)


def test_a_planted_checkpoint_is_refused_and_runs_nothing(corpus: Corpus, tmp_path: Path) -> None:
    from ltrgr.pipeline.trainer import ForeignCheckpointError
    from ltrgr.training.identifier_pretraining import IdentifierPretraining

    resumed = pipeline(tmp_path, corpus)
    with pytest.MonkeyPatch.context() as patch:
        kill_at(14, IdentifierPretraining, patch)
        with pytest.raises(Killed):
            resumed.pretrain()
    checkpoint = resumed.pretrained.partial / "checkpoints" / "last.ckpt"
    genuine = torch.load(checkpoint, weights_only=True)
    assert genuine["hyper_parameters"]["optimizer"]["lr"] == 5e-3  # plain values, no objects
    torch.save({**genuine, "planted": Planted(tmp_path / "ran")}, checkpoint)
    with pytest.raises(ForeignCheckpointError, match=r"last\.ckpt holds more than weights"):
        resumed.pretrain()
    assert not (tmp_path / "ran").exists()
    assert checkpoint.is_file()  # nothing is lost


@pytest.mark.parametrize("step", [6, 8, 9])
def test_a_killed_stage_two_ends_like_an_uninterrupted_one(
    step: int, finished: Pipeline, corpus: Corpus
) -> None:
    """Step 6: between validations; 8: just after one; the choice of the best survives, too."""
    from ltrgr.training.learning_to_rank import LearningToRank

    settings = ranking(seed=20 + step)
    whole = pipeline(finished.root, corpus, ranking=settings)
    expected = weights_of(whole.rank())
    whole.ranked.directory.rename(finished.root / f"whole{step}")
    resumed = pipeline(finished.root, corpus, ranking=settings)
    with pytest.MonkeyPatch.context() as patch:
        kill_at(step, LearningToRank, patch)
        with pytest.raises(Killed):
            resumed.rank()
    assert not resumed.ranked.is_done()
    found = weights_of(resumed.rank())
    for name, weights in expected.items():
        torch.testing.assert_close(found[name], weights, rtol=0, atol=0)


def test_a_killed_stage_two_remembers_a_best_validation_at_its_last_checkpoint(
    finished: Pipeline, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The best validation is the first, at the step of the last checkpoint before the kill."""
    from ltrgr.training.learning_to_rank import LearningToRank

    figures = {4: 0.9, 8: 0.2, 12: 0.1}
    steps: dict[int, dict[str, torch.Tensor]] = {}

    def rigged(self: Any) -> None:
        steps[self.global_step] = {k: v.clone() for k, v in self.model.state_dict().items()}
        self.log("dev/mrr@10", figures[self.global_step])
        self.metric.reset()

    monkeypatch.setattr(LearningToRank, "on_validation_epoch_end", rigged)
    resumed = pipeline(finished.root, corpus, ranking=ranking(seed=77))
    with pytest.MonkeyPatch.context() as patch:
        kill_at(6, LearningToRank, patch)
        with pytest.raises(Killed):
            resumed.rank()
    kept = weights_of(resumed.rank())
    assert sorted(steps) == [4, 8, 12]
    assert all(torch.equal(kept[name], steps[4][name]) for name in kept)


def test_a_diverged_stage_one_is_not_saved(corpus: Corpus, tmp_path: Path) -> None:
    settings = replace(
        PRETRAINING, steps=3, optimizer=partial(AdamW, lr=1e9), gradient_clip_val=0.0
    )
    broken = pipeline(tmp_path, corpus, pretraining=settings)
    with pytest.raises(DivergedError, match=r"pretrain\.optimizer\.lr"):
        broken.pretrain()
    assert not broken.pretrained.is_done()


def test_bm25_needs_no_model(corpus: Corpus, tmp_path: Path) -> None:
    alone = pipeline(tmp_path, corpus)
    metrics = json.loads((alone.evaluate("bm25") / "metrics.json").read_text())
    assert metrics["hits@20"] > 0.5
    assert [name.split("/")[0] for name in artefacts(tmp_path)] == ["evaluate"]


@pytest.mark.parametrize(
    ("stage", "name"), [("mine", "score.npy"), ("mine", "passage.npy"), ("pretrain", "model")]
)
def test_stage_two_does_not_train_on_flipped_bits(
    finished: Pipeline, corpus: Corpus, tmp_path: Path, stage: str, name: str
) -> None:
    shutil.copytree(finished.root, tmp_path / "runs")
    [path] = (tmp_path / "runs" / stage).glob(f"*/{name}")
    path = path / "model.safetensors" if path.is_dir() else path
    content = bytearray(path.read_bytes())
    content[-3] ^= 0x40
    path.write_bytes(content)
    other = pipeline(tmp_path / "runs", corpus, ranking=ranking(size=9.0, steps=4))
    with pytest.raises(ArtefactError, match=rf"{path.name} has blake2b .* ltrgr {stage}"):
        other.rank()


def test_measured_figures_that_changed_on_the_disk_are_not_told(
    finished: Pipeline, corpus: Corpus, tmp_path: Path
) -> None:
    shutil.copytree(finished.root, tmp_path / "runs")
    copied = pipeline(tmp_path / "runs", corpus)
    path = copied.evaluate("rank") / "metrics.json"
    path.write_text(path.read_text().replace("0.", "1.", 1))  # as long, and readable
    for look in (copied.evaluate, copied.measured):
        with pytest.raises(ArtefactError, match=r"metrics\.json has blake2b .* ltrgr evaluate"):
            look("rank")
