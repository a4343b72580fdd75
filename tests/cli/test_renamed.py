"""A setting's old name gives an error that names the new one."""

from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from ltrgr.cli.main import config_directory, main
from ltrgr.cli.renamed import RENAMED, new_name
from ltrgr.cli.resolvers import register_resolvers
from ltrgr.cli.suggestions import dotted_keys


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("rank.warm_up=0.2", "rank.warm_up is now rank.scheduler.warmup_ratio"),
        ("+rank.warm_up=0.2", "rank.warm_up is now rank.scheduler.warmup_ratio"),
        ("pretrain.learning_rate=1", "pretrain.learning_rate is now pretrain.optimizer.lr"),
        ("decoding.beams=3", "decoding.beams is now decoding.num_beams"),
        (
            "identifiers.views.body.draws=1",
            "identifiers.views.body.draws is now identifiers.views.body.sampling_weight",
        ),
        ("optimised=mrr@10", "optimised is now optimized_metric"),
    ],
)
def test_an_old_name_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], override: str, message: str
) -> None:
    assert main(["rank", f"root={tmp_path}", override]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "index").exists()  # no work has begun


def every_key() -> list[str]:
    register_resolvers()
    more = ["+scoring@evaluation.scoring=lm_fm"]
    with initialize_config_dir(str(config_directory()), version_base="1.3"):
        return [*dotted_keys(compose("rank", overrides=more))]


@pytest.mark.parametrize("pattern", RENAMED)
def test_every_new_name_is_a_key(pattern: str) -> None:
    keys = every_key()
    section, _, old = pattern.rpartition(".")
    news = [k for k in keys if fnmatchcase(k, f"{section}.{RENAMED[pattern]}".lstrip("."))]
    assert news
    for new in news:
        assert new_name(f"{new.removesuffix(RENAMED[pattern])}{old}", keys) == new


def test_an_old_name_in_a_file_of_your_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    view = tmp_path / "conf" / "identifiers" / "mine.yaml"
    view.parent.mkdir(parents=True)
    view.write_text(
        "_target_: ltrgr.identifiers.views.Family\n"
        "views:\n"
        "  sentence: {_target_: ltrgr.identifiers.views.View, prompt: <s>, steps: 5}\n"
    )
    given = ["--config-dir", str(tmp_path / "conf"), "identifiers=mine", f"root={tmp_path}"]
    assert main(["rank", *given]) == 2
    new = "identifiers.views.sentence.steps is now identifiers.views.sentence.max_new_tokens"
    assert new in capsys.readouterr().err
