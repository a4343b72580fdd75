"""What a CUDA device must not change: the search, the law of the two scores, exact resume."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ltrgr.corpus.records import Corpus
from ltrgr.identifiers.keys import Keys
from ltrgr.pipeline.evaluate_stage import Measured
from ltrgr.pipeline.pipeline import Pipeline
from ltrgr.pipeline.settings import ComputeSettings
from ltrgr.retrieval.retriever import Retriever
from ltrgr.training.identifier_pretraining import IdentifierPretraining
from ltrgr.training.learning_to_rank import rank_list_scores
from mined_lists import mine_some, sampler_over
from tiny_pipeline import PRETRAINING, pipeline, ranking

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]

GPU = ComputeSettings(accelerator="gpu", threads=1, progress=False)
TEXTS = [
    "Who wrote the first book?",
    "where is the old harbour",
    "Which river runs through the town of the painter?",
]


class Killed(Exception):  # noqa: N818
    """The process is gone."""


def on_gpu(root: Path, corpus: Corpus, **changes: Any) -> Pipeline:
    return replace(pipeline(root, corpus, **changes), compute=GPU)


def weights_of(directory: Path) -> dict[str, torch.Tensor]:
    return Retriever.from_pretrained(directory).model.state_dict()


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


def as_table(keys: Keys, question: int) -> dict[tuple[int, tuple[int, ...]], float]:
    """(view, tokens) -> log p of one question's keys"""
    first, last = keys.question_offsets[question : question + 2]
    return {
        (
            int(keys.view[k]),
            tuple(keys.tokens[keys.token_offsets[k] : keys.token_offsets[k + 1]].tolist()),
        ): float(keys.log_probability[k])
        for k in range(first, last)
    }


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, corpus: Corpus) -> Pipeline:
    """The whole pipeline, trained and measured on the GPU."""
    built = on_gpu(tmp_path_factory.mktemp("gpu"), corpus)
    built.evaluate("rank")
    return built


def test_the_run_names_its_device(trained: Pipeline) -> None:
    for artefact in (trained.pretrained, trained.mined, trained.ranked):
        environment = json.loads((artefact.directory / "environment.json").read_text())
        assert environment["device"] == torch.cuda.get_device_name()


def test_search_on_the_gpu_is_search_on_the_cpu(trained: Pipeline) -> None:
    """The same keys, log p to 1e-4, the same passages and scores."""
    cpu = Retriever.from_pretrained(trained.ranked.directory)
    gpu = Retriever.from_pretrained(trained.ranked.directory, device="cuda")
    assert gpu.device.type == "cuda"
    there, here = gpu.keys(TEXTS), cpu.keys(TEXTS)
    for question in range(len(TEXTS)):
        ours, theirs = as_table(here, question), as_table(there, question)
        assert ours.keys() == theirs.keys()
        for key, log_p in ours.items():
            assert theirs[key] == pytest.approx(log_p, abs=1e-4)
    for one, other in zip(cpu.search(TEXTS, k=5), gpu.search(TEXTS, k=5), strict=True):
        assert [hit.passage.id for hit in one] == [hit.passage.id for hit in other]
        np.testing.assert_allclose(
            [hit.score for hit in one], [hit.score for hit in other], rtol=1e-3
        )


def test_the_same_figures_from_either_device(trained: Pipeline, corpus: Corpus) -> None:
    """Measured on the GPU and on the CPU with one model: equal question by question."""
    there = Measured.load(trained.evaluate("rank"))
    on_cpu = replace(trained, compute=replace(GPU, accelerator="cpu"))
    shutil.rmtree(trained.evaluate("rank"))
    here = Measured.load(on_cpu.evaluate("rank"))
    assert here.query_ids == there.query_ids
    for name, values in here.values.items():
        if name != "seconds":
            np.testing.assert_allclose(values, there.values[name], atol=1e-9, err_msg=name)


def test_training_scores_a_mined_list_as_search_did(trained: Pipeline, corpus: Corpus) -> None:
    """Law 1 in docs/method.md, with the model of both on the GPU."""
    retriever = Retriever.from_pretrained(trained.ranked.directory, device="cuda")
    mined = mine_some(retriever, corpus, questions=40, k=15)
    sampler = sampler_over(
        mined,
        retriever,
        corpus,
        select=trained.ranking.objective.select,
        index=retriever.index_directory,
        each=0,
    )
    rows = np.flatnonzero(mined.has_both_labels)
    assert len(rows) > 3
    batch = sampler.batch(rows, np.random.default_rng(0)).to(torch.device("cuda"))
    weights, offsets = retriever.scoring.of_views(retriever.vocabulary.family.names)
    scores = rank_list_scores(
        retriever.model,
        batch,
        scoring=retriever.scoring,
        view_weights=torch.from_numpy(weights).float().cuda(),
        view_offsets=torch.from_numpy(offsets).float().cuda(),
        n_tokens=retriever.index.n_tokens,
    )
    chosen = batch.chosen["random"] | batch.chosen["top"]
    error = ((scores.detach() - batch.mined_score).abs() / batch.mined_score)[chosen]
    assert len(error) > 3
    assert float(error.max()) <= 1e-4


def test_a_killed_stage_one_goes_on_to_the_same_weights(
    trained: Pipeline, corpus: Corpus, tmp_path: Path
) -> None:
    resumed = on_gpu(tmp_path, corpus)
    honest = IdentifierPretraining.training_step

    def training_step(self: Any, batch: Any, batch_idx: int) -> Any:
        if self.global_step == 14:
            raise Killed
        return honest(self, batch, batch_idx)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(IdentifierPretraining, "training_step", training_step)
        with pytest.raises(Killed):
            resumed.pretrain()
    assert not resumed.pretrained.is_done()
    assert same(weights_of(resumed.pretrain()), weights_of(trained.pretrain()))


def test_one_seed_gives_the_same_weights_again(
    trained: Pipeline, corpus: Corpus, tmp_path: Path
) -> None:
    again = on_gpu(tmp_path, corpus)
    again.rank()
    for one, other in ((trained.pretrained, again.pretrained), (trained.ranked, again.ranked)):
        assert same(weights_of(one.directory), weights_of(other.directory))


def test_the_first_losses_are_those_of_the_cpu(
    trained: Pipeline, corpus: Corpus, tmp_path: Path
) -> None:
    """Ten steps without dropout draw the same batches and differ by rounding only."""
    settings = replace(PRETRAINING, steps=10)
    losses = []
    for name, compute in (("cpu", replace(GPU, accelerator="cpu")), ("gpu", GPU)):
        one = pipeline(tmp_path / name, corpus, dropout=0.0, pretraining=settings)
        one = replace(one, compute=compute)
        one.pretrain()
        (curve,) = one.pretrained.directory.glob("curves/*/metrics.csv")
        rows = list(csv.DictReader(curve.open(newline="")))
        logged = [row.get("train/generation_loss") for row in rows]
        losses.append([float(value) for value in logged if value])
    assert losses[0]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-3)


@pytest.mark.parametrize("precision", ["bf16-mixed", "16-mixed"])
def test_both_stages_train_in_half_precision(
    precision: str, corpus: Corpus, tmp_path: Path
) -> None:
    half = on_gpu(
        tmp_path,
        corpus,
        pretraining=replace(PRETRAINING, precision=precision),
        ranking=ranking(precision=precision),
    )
    half.evaluate("rank")
    before, after = weights_of(half.pretrained.directory), weights_of(half.ranked.directory)
    assert all(torch.isfinite(values).all() for values in after.values())
    assert not same(before, after)
