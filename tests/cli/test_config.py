"""Every option of every group composes, resolves and becomes what the pipeline takes."""

from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.utils import instantiate
from omegaconf import OmegaConf

from ltrgr.cli.assembly import SECTIONS, assemble
from ltrgr.cli.main import COMMANDS
from ltrgr.cli.resolvers import register_resolvers
from ltrgr.cli.table_command import merge_overrides
from ltrgr.corpus.demo import generate_demo
from ltrgr.losses import Objective, all_passages, dpo
from ltrgr.pipeline.describe import describe
from ltrgr.pipeline.pipeline import Pipeline
from ltrgr.report.expected import read_expected
from ltrgr.scoring.scoring_settings import ScoringSettings

CONF = Path(__file__).parents[2] / "conf"
PLACES = {
    "optimizer": ["@pretrain.optimizer", "@rank.optimizer"],
    "scheduler": ["@pretrain.scheduler", "@rank.scheduler"],
}
"""groups that are chosen at more than one place"""
OPTIONS = [
    f"{group.name}{place}={option.stem}"
    for group in sorted(CONF.iterdir())
    if group.is_dir()
    for place in PLACES.get(group.name, [""])
    for option in sorted(group.glob("*.yaml"))
]


def composed(command: str, *overrides: str):
    register_resolvers()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose(command, overrides=list(overrides))


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_command_composes_without_a_hole(command: str) -> None:
    assert OmegaConf.missing_keys(composed(command)) == set()


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_can_be_built(option: str) -> None:
    cfg = (
        composed("table", option, "model.checkpoint=somewhere")
        if (option.startswith("model=") and option != "model=tiny")
        else composed("table", option)
    )
    if option == "corpus=beir":
        assert OmegaConf.missing_keys(cfg) == {"corpus.path"}
        return
    parts = {
        part: instantiate(cfg[section], _convert_="all")
        for part, section in SECTIONS.items()
        if part != "corpus"
    }
    assert isinstance(parts["scoring"], ScoringSettings)
    assert isinstance(parts["ranking"].objective, Objective)


def test_the_objective_is_recorded_as_it_was_before_its_parts_moved() -> None:
    """These names are part of the fingerprint of every stage-2 artefact."""
    loss = {"call": "ltrgr.losses.margin:margin", "margin": 1.3}
    recorded = {
        "is": "ltrgr.losses.objective:Term",
        "loss": loss,
        "weight": 1.0,
        "unit": "one_key",
        "ramp": [1.0, 1.0],
    }
    terms = {
        name: {**recorded, "sampler": {"call": f"ltrgr.losses.samplers:{sampler}"}}
        for name, sampler in (("rank1", "top"), ("rank2", "random"))
    }
    objective = instantiate(composed("rank").loss.objective, _convert_="all")
    assert describe(objective) == {
        "is": "ltrgr.losses.objective:Objective",
        "terms": terms,
        "lambda_generation": 2.6,
        "generation_unit": "one_key",
    }


def test_a_loss_of_your_own_starts_from_a_base(tmp_path: Path) -> None:
    own = tmp_path / "loss" / "mine.yaml"
    own.parent.mkdir()
    own.write_text(
        "defaults: [base/pair_wise, _self_]\n"
        "objective: {terms: {pairwise: {loss: {_target_: ltrgr.losses.dpo, _partial_: true}}}}\n"
    )
    cfg = composed("rank", f"hydra.searchpath=[file://{tmp_path}]", "loss=mine", "loss.pairwise=2")
    objective = instantiate(cfg.loss.objective)
    (term,) = objective.active.values()
    assert (term.loss.func, term.sampler.func) == (dpo, all_passages)
    assert (term.weight, term.unit, objective.lambda_generation) == (2, "one_key", 2.6)


def test_a_sweep_over_all_losses_has_no_base() -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        (override,) = OverridesParser.create(loader).parse_overrides(["loss=glob(*)"])
        swept = list(override.sweep_string_iterator())
    assert swept == sorted(path.stem for path in (CONF / "loss").glob("*.yaml"))
    assert "ltrgr" in swept


def test_one_override_sets_any_argument_of_the_optimizer() -> None:
    cfg = composed("rank", "+rank.optimizer.eps=1e-6", "optimizer@pretrain.optimizer=adafactor")
    made = {
        stage: instantiate(cfg[stage].optimizer)([torch.nn.Parameter(torch.zeros(2))])
        for stage in ("pretrain", "rank")
    }
    assert [type(made[stage]).__name__ for stage in made] == ["Adafactor", "AdamW"]
    assert made["rank"].defaults["eps"] == 1e-6
    assert [made[stage].defaults["lr"] for stage in made] == [2e-3, 2e-4]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("rank.optimizer.lr=-1", r"rank\.optimizer\.lr=-1: expected a finite number above 0"),
        ("pretrain.optimizer.lr=true", r"pretrain\.optimizer\.lr=true: expected a finite number"),
        ("pretrain.optimizer.lr=nan", r"pretrain\.optimizer\.lr=nan: expected a finite number"),
        ("+rank.optimizer.momentum=1", r"rank\.optimizer: .*momentum"),
        ("rank.scheduler.warmup_ratio=2", r"rank\.scheduler: warmup_ratio=2: expected 0 to 1"),
    ],
)
def test_an_optimizer_that_cannot_be_made_is_refused(override: str, message: str) -> None:
    cfg = composed("rank", override)
    with pytest.raises(Exception, match=message):
        instantiate(cfg[override.strip("+").partition(".")[0]], _convert_="all")


def test_a_large_model_has_the_demo_budget_unless_another_is_chosen() -> None:
    assert composed("rank", "model=bart-base").pretrain.steps == 1600
    paper = composed("rank", "model=bart-base", "budget=paper")
    assert (paper.pretrain.steps, paper.mine.passages, paper.mine.questions) == (80_000, 200, None)
    assert paper.rank.optimizer.lr == 1e-5


@pytest.mark.parametrize("launcher", ["local", "joblib", "basic"])
def test_the_swept_experiment_takes_any_launcher(launcher: str) -> None:
    """What one launcher alone knows (n_jobs) must not stand in the experiment."""
    register_resolvers()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        swept = ["experiment=margin_lambda", f"hydra/launcher={launcher}"]
        cfg = compose("rank", overrides=swept, return_hydra_config=True)
    assert cfg.hydra.sweeper.params["loss.margin"].count(",") == 4
    assert (cfg.hydra.launcher.get("n_jobs") == 2) == (launcher == "local")


def test_assemble_gives_a_pipeline_and_sweeps_share_what_they_can() -> None:
    corpus = generate_demo(passages=300, train_questions=100, dev_questions=10, test_questions=10)
    pipeline, margin, family = (
        assemble(composed("rank", *o), corpus=corpus)
        for o in ([], ["loss.margin=3"], ["identifiers=seal"])
    )
    assert isinstance(pipeline, Pipeline)
    assert pipeline.mined.fingerprint == margin.mined.fingerprint
    assert pipeline.ranked.fingerprint != margin.ranked.fingerprint
    assert pipeline.indexed.fingerprint != family.indexed.fingerprint


def test_what_only_says_where_or_how_fast_changes_no_fingerprint() -> None:
    corpus = generate_demo(passages=300, train_questions=100, dev_questions=10, test_questions=10)
    plain = assemble(composed("rank"), corpus=corpus)
    elsewhere = assemble(
        composed(
            "rank", "decoding.batch_size=8", "compute.threads=2", "wandb.mode=disabled",
        ),
        corpus=corpus,
    )  # fmt: skip
    assert plain.ranked.fingerprint == elsewhere.ranked.fingerprint


def test_the_papers_setting_by_override_and_its_like_in_keys() -> None:
    paper = ["loss.unit=score", "loss.margin=500", "loss.lambda_generation=1000"]
    objective = instantiate(composed("rank", *paper).loss.objective, _convert_="all")
    assert objective.terms["rank1"].unit == objective.generation_unit == "score"
    assert objective.terms["rank1"].loss.keywords == {"margin": 500}
    assert objective.lambda_generation == 1000
    here = instantiate(composed("rank").loss.objective, _convert_="all")
    assert here.terms["rank1"].unit == here.generation_unit == "one_key"
    assert here.terms["rank1"].loss.keywords == {"margin": pytest.approx(500 / 382, abs=0.05)}
    assert here.lambda_generation == pytest.approx(1000 / 382, abs=0.05)


def test_a_row_replaces_a_group_with_all_that_was_set_in_it() -> None:
    given = ["loss.margin=2", "seed=1", "+loss.new=1", "lossy=1"]
    assert merge_overrides(given, ["loss=infonce"]) == ["seed=1", "lossy=1", "loss=infonce"]
    assert merge_overrides(given, ["loss.rank1=0"]) == [*given, "loss.rank1=0"]


def test_an_experiment_finds_what_it_is_expected_to_come_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below the working directory, where the file is there; else nothing is expected."""
    monkeypatch.chdir(CONF.parent)
    for name in ("beams", "beyond", "drop", "families", "heuristic", "keys_per_passage"):
        path = composed("table", f"experiment={name}").table.expected
        stored = read_expected(Path(path))
        assert f"experiment={name}" in stored.origin.overrides
    assert composed("table").table.expected is None
    monkeypatch.chdir(tmp_path)
    assert composed("table", "experiment=losses").table.expected is None
