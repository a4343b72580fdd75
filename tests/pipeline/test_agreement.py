"""Settings that contradict each other: refused together, before the corpus is read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from transformers import BartConfig, T5Config

import ltrgr.cli.assembly
from ltrgr.cli.assembly import assemble
from ltrgr.cli.main import config_directory
from ltrgr.cli.resolvers import register_resolvers
from ltrgr.corpus.records import Corpus, Split
from ltrgr.evaluation.online import METRICS, retrieval_values
from ltrgr.models.positions import position_limit
from ltrgr.typed import SettingsError
from tiny_pipeline import pipeline


def disagreements(*overrides: str) -> list[str]:
    """The lines of the error; the corpus of these settings does not exist, and is never read."""
    register_resolvers()
    with initialize_config_dir(str(config_directory()), version_base="1.3"):
        cfg = compose("rank", overrides=["corpus=beir", "corpus.path=/nowhere", *overrides])
    with pytest.raises(SettingsError) as caught:
        assemble(cfg)
    return str(caught.value).splitlines()


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(ltrgr.cli.assembly, "fix_threads", lambda compute: None)


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (
            ["rank.monitor=dev/ndcg@10"],
            "rank.monitor='dev/ndcg@10': expected one of dev/hits@1, dev/hits@5, dev/hits@20, "
            "dev/mrr@10, dev/recall@20",
        ),
        (
            ["pretrain.monitor=train/loss", "identifiers=seal"],
            "pretrain.monitor='train/loss': expected one of dev/identifier_accuracy, "
            "dev/token_accuracy, dev/identifier_accuracy/title, dev/identifier_accuracy/body",
        ),
        (["+scoring.view_weights.nope=2"], "name the views ['nope']; this family has ['title'"),
        (["scoring=docid"], "name the views ['docid']; this family has ['title'"),
        (["+scoring@evaluation.scoring=docid"], "name the views ['docid']"),
        (["index.kind=trie"], "index.kind=trie with the searched views ['title', 'body', 'query']"),
        (
            ["loss=distilled_ranknet", "loss.teacher=cross_encoder"],
            "loss.teacher='cross_encoder': expected one of bm25, mined_score",
        ),
        (
            ["rank.learnable_parameters=[coverage]", "scoring.coverage=1"],
            "scoring.coverage begins at 1: expected above 0 and below 1",
        ),
        (["compute.accelerator=gpu"], "compute.accelerator=gpu: torch sees no CUDA device"),
        (
            ["rank.precision=16-mixed"],
            "rank.precision=16-mixed: needs a GPU; expected bf16-mixed or 32-true on a CPU",
        ),
        (
            ["model.backbone.network.heads=3"],
            "heads=3: expected a divisor of model.backbone.network.width=128",
        ),
        (
            ["pretrain.targets.max_target_length=128"],
            "pretrain.targets.max_target_length=128: the model has 128 positions, and special "
            "tokens take up to 1; expected at most 127",
        ),
        (
            ["identifiers.views.query.max_new_tokens=200"],
            "identifiers.views.query.max_new_tokens=200: the model has 128 positions",
        ),
    ],
)
def test_each_disagreement_has_one_line(overrides: list[str], expected: str) -> None:
    (line,) = disagreements(*overrides)
    assert expected in line


def test_all_of_them_come_at_once() -> None:
    found = disagreements(
        "decoding.max_question_length=126", "rank.monitor=dev/x", "model.backbone.network.heads=5"
    )
    assert [line.split("=")[0] for line in found] == [
        "rank.monitor",
        "model.backbone.network.heads",
        "decoding.max_question_length",
        "pretrain.targets.max_question_length",
    ]


def test_the_longest_question_that_fits_is_accepted() -> None:
    with pytest.raises(Exception, match="nowhere"):  # it goes on to the corpus
        assemble_with("decoding.max_question_length=125")


def assemble_with(*overrides: str) -> None:
    register_resolvers()
    with initialize_config_dir(str(config_directory()), version_base="1.3"):
        assemble(compose("rank", overrides=["corpus=beir", "corpus.path=/nowhere", *overrides]))


def test_the_names_of_the_metrics_are_those_that_are_computed() -> None:
    one = torch.ones((1, 1), dtype=torch.bool)
    assert set(retrieval_values(ranked_relevance=one, n_relevant=torch.ones(1))) == set(METRICS)


def test_positions_of_a_checkpoint(tmp_path: Path) -> None:
    def network(checkpoint: Path) -> int | None:
        from functools import partial

        return position_limit(partial(print, checkpoint=str(checkpoint)))

    BartConfig(max_position_embeddings=77).save_pretrained(tmp_path / "bart")
    T5Config().save_pretrained(tmp_path / "t5")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "config.json").write_text("{")
    assert network(tmp_path / "bart") == 77
    assert network(tmp_path / "t5") is None
    assert network(tmp_path / "damaged") is None
    assert network(tmp_path / "nowhere") is None
    assert position_limit(print) is None
    long = ["model=bart-base", f"model.checkpoint={tmp_path / 'bart'}"]
    found = disagreements(*long, "decoding.max_question_length=75")
    assert found[0].startswith("decoding.max_question_length=75: the model has 77 positions")


@pytest.mark.parametrize(
    ("split", "message"),
    [("dev", "has no dev questions, by which stage 2"), ("train", "has no training questions")],
)
def test_a_corpus_without_a_split_that_training_needs(
    split: str, message: str, corpus: Corpus, tmp_path: Path
) -> None:
    """Before any work: nothing is written."""
    with pytest.raises(SettingsError, match=message):
        pipeline(tmp_path, replace(corpus, **{split: Split()}, checksum=split)).rank()
    assert list(tmp_path.iterdir()) == []
