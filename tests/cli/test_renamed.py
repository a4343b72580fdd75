"""The old name of a setting, or of a function in a config, gives an error with the new one."""

from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import get_object

from ltrgr.cli.main import config_directory, main
from ltrgr.cli.renamed import RENAMED, moved_names, new_name
from ltrgr.cli.resolvers import register_resolvers
from ltrgr.cli.suggestions import dotted_keys
from ltrgr.cli.train import train
from ltrgr.cli.typos import RenamedKeyError
from ltrgr.moved import MOVED, recorded_name


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


@pytest.mark.parametrize("old", MOVED)
def test_every_function_that_moved_can_be_named(old: str) -> None:
    """Its present path is what Hydra finds, under the name that the path says."""
    found = get_object(MOVED[old])
    assert found.__name__ == MOVED[old].rpartition(".")[2]
    assert recorded_name(found) == ":".join(old.rsplit(".", 1))
    assert list(moved_names({"terms": [{"loss": {"_target_": old}}]})) == [
        ("terms.0.loss._target_", old, MOVED[old])
    ]


def test_an_old_function_in_a_loss_of_your_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both names in one line, before any work; names that have not moved are left alone."""
    loss = tmp_path / "conf" / "loss" / "mine.yaml"
    loss.parent.mkdir(parents=True)
    loss.write_text(
        "objective:\n"
        "  _target_: ltrgr.losses.objective.Objective\n"
        "  lambda_generation: 2.6\n"
        "  terms:\n"
        "    mine:\n"
        "      _target_: ltrgr.losses.Term\n"
        "      loss: {_target_: ltrgr.losses.ranknet.ranknet, _partial_: true}\n"
        "      sampler: {_target_: ltrgr.losses.samplers.everything, _partial_: true}\n"
    )
    given = ["--config-dir", str(tmp_path / "conf"), "loss=mine", f"root={tmp_path / 'runs'}"]
    assert main(["rank", *given]) == 2
    told = capsys.readouterr().err
    assert "ltrgr.losses.ranknet.ranknet is now ltrgr.losses.ranknet (in" in told
    assert "ltrgr.losses.samplers.everything is now ltrgr.losses.all_passages (in" in told
    assert told.count(" is now ") == 2
    assert not (tmp_path / "runs" / "index").exists()


def test_an_old_function_from_python(tmp_path: Path) -> None:
    target = "loss.objective.terms.rank1.sampler._target_=ltrgr.losses.samplers.top"
    with pytest.raises(RenamedKeyError, match=r"samplers\.top is now ltrgr\.losses\.top_pair"):
        train(root=tmp_path, overrides=[target])
