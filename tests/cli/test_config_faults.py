"""Values that no setting can mean: all of them named at once, before any work."""

from __future__ import annotations

from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

import ltrgr
from ltrgr.cli.config_faults import expect_config
from ltrgr.cli.main import COMMANDS, config_directory, main
from ltrgr.cli.resolvers import register_resolvers
from ltrgr.typed import SettingsError

SEED = "expected a whole number from 0 to 4,294,967,295"
COUNT = "expected a whole number, 1 or more"


def faults(command: str, *overrides: str) -> list[str]:
    """The lines of the error of a composed config; none where it is accepted."""
    register_resolvers()
    with initialize_config_dir(str(config_directory()), version_base="1.3"):
        cfg = compose(command, overrides=list(overrides))
    try:
        expect_config(cfg, command=command)
    except SettingsError as error:
        return str(error).splitlines()
    return []


@pytest.mark.parametrize("command", list(COMMANDS))
def test_the_config_of_every_command_is_accepted(command: str) -> None:
    assert faults(command) == []


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("pretrain.targets.unsupervised=7", "expected a number from 0 to 1"),
        ("rank.scheduler.warmup_ratio=2", "expected a number from 0 to 1"),
        ("pretrain.scheduler.warmup_ratio=-1", "expected a number from 0 to 1"),
        ("pretrain.optimizer.lr=true", "expected a finite number above 0"),
        ("rank.optimizer.weight_decay=-1", "expected a finite number, 0 or more"),
        ("rank.targets_per_question=-1", "expected a whole number, 0 or more"),
        ("identifiers.views.title.sampling_weight=-1", "expected a finite number, 0 or more"),
        ("identifiers.views.title.begin=''", "expected text, not empty, or null"),
        ("scoring.frequency={a:1}", "expected true or false"),
        (
            "pretrain.cross_attention_learning_rate=-1",
            "expected a finite number, 0 or more, or null",
        ),
        ("pretrain.precision=fp8", "expected one of 32-true, bf16-mixed"),
        ("pretrain.label_smoothing=2", "expected a number, 0 or more and below 1"),
        ("compute.accelerator=foo", "expected one of auto, cpu, gpu, cuda"),
        ("decoding.num_beams=2.5", "expected a whole number from 1 to 1,000"),
        ("decoding.num_beams=1000000", "expected a whole number from 1 to 1,000"),
        ("seed=-1", SEED),
        ("rank.seed=nan", SEED),
        ("mine.seed=1.5", SEED),
        ("mine.questions=0", COUNT),
        ("mine=3", "expected a section of settings"),
        ("corpus.passages=79", "expected a whole number from 80 to 1,000,000"),
        ("model.backbone.network.width=0", COUNT),
        ("model.backbone.tokenizer.size=10", "expected a whole number from 260 to 1,000,000"),
        ("loss.margin=abc", "expected a finite number, 0 or more"),
        ("loss.unit=keys", "expected one of score, one_key"),
        ("optimized_metric=3", "expected text, not empty"),
        ("wandb.mode=x", "expected one of auto, online, offline, disabled"),
    ],
)
def test_a_value_that_a_setting_cannot_mean(override: str, line: str) -> None:
    found = faults("rank", override)
    assert found[0].startswith(f"{override.split('=', maxsplit=1)[0]}=")
    assert line in found[0]
    # one line, but for a seed, which every section without one of its own takes
    assert len(found) == 1


@pytest.mark.parametrize(
    ("command", "override", "line"),
    [
        ("search", "k=0", COUNT),
        ("search", "system=bm25", "expected one of pretrain, rank"),
        ("evaluate", "system=stage2", "expected one of bm25, pretrain, rank"),
        ("exposure", "systems=[]", "not empty"),
        ("cost", "turns=1", "expected a whole number, 2 or more"),
        ("report", "samples=abc", COUNT),
        ("table", "table.seeds=[]", "not empty"),
        ("table", "table.level=1", "expected a number above 0 and below 1"),
        ("table", "table=3", "expected a section of settings"),
    ],
)
def test_a_setting_of_one_command(command: str, override: str, line: str) -> None:
    (found,) = faults(command, override)
    assert found.startswith(f"{override.split('=', maxsplit=1)[0]}=")
    assert line in found


def test_an_item_of_a_list_or_a_mapping_is_named() -> None:
    assert faults("table", "table.seeds=[1,-1]") == [f"table.seeds[1]=-1: {SEED}"]
    assert faults("rank", "+scoring.view_weights.title=-1") == [
        "scoring.view_weights.title=-1: expected a finite number, 0 or more"
    ]


def test_a_key_that_nobody_reads_is_refused_with_a_plus(tmp_path: Path) -> None:
    (line,) = faults("rank", "+rank.step=3")
    assert line.startswith("rank.step is not a setting of ltrgr.pipeline.settings.RankSettings")
    assert "Did you mean steps" in line
    assert faults("rank", "+rank.optimizer.eps=1e-6") == []


def test_all_faults_come_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = ["pretrain.optimizer.lr=abc", "rank.scheduler.warmup_ratio=2", "loss.margin=-1"]
    assert main(["rank", *wrong, f"root={tmp_path}"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "ltrgr rank: SettingsError: pretrain.optimizer.lr='abc': expected a finite number above 0",
        "rank.scheduler.warmup_ratio=2: expected a number from 0 to 1",
        "loss.margin=-1: expected a finite number, 0 or more",
    ]
    with pytest.raises(SettingsError, match=r"warmup_ratio=2: .*\nloss\.margin=-1: "):
        ltrgr.train(root=tmp_path, overrides=wrong)


def test_a_key_within_a_mapping_is_added_with_a_plus(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rank", "scoring.view_weights={title:2}"]) == 2
    assert capsys.readouterr().err == (
        "ltrgr rank: scoring.view_weights has no key 'title' yet; to add it: "
        "+scoring.view_weights.title=...\n"
    )
