"""The table verb: what is done is found, what is missing is measured."""

import json
from pathlib import Path

import pytest
import torch

from ltrgr.cli.main import main
from ltrgr.evaluation.reproduction import Spread
from ltrgr.report.expected import Expected, Figure, write_expected
from ltrgr.report.result_table import from_json

SMALL = [
    "corpus.passages=300",
    "corpus.train_questions=100",
    "corpus.dev_questions=20",
    "corpus.test_questions=20",
    "table.only=[BM25]",
    "compute.progress=false",
]


def test_bm25_alone_and_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["table", f"root={tmp_path}", *SMALL]
    assert main(command) == 0
    table = json.loads((tmp_path / "table" / "table.json").read_text())
    assert [row["name"] for row in table["rows"]] == ["BM25"]
    assert 0.5 < table["rows"][0]["cells"]["hits@5"]["mean"] <= 1
    assert {path.suffix for path in (tmp_path / "table").iterdir()} >= {".md", ".tex", ".png"}
    done = next((tmp_path / "evaluate").glob("*/DONE.json"))
    before = done.stat().st_mtime_ns
    assert main(command) == 0
    assert done.stat().st_mtime_ns == before
    assert "BM25" in capsys.readouterr().out


def test_the_table_ends_with_a_verdict_for_each_cell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["table", f"root={tmp_path}", *SMALL]
    assert main(command) == 0
    assert "reproduction" not in capsys.readouterr().out
    table = from_json((tmp_path / "table" / "table.json").read_text())
    assert table.origin is not None
    assert (table.origin.split, table.origin.questions) == ("test", 20)
    assert table.origin.overrides == ()  # folders, workers, corpus: the checksum speaks for it
    assert table.origin.varies["seeds"] == ("0",)
    cells = table.rows[0].cells
    figures = {  # as if two runs had come to the same, but for MRR: far below
        metric: Figure(known=Spread(runs=2, mean=cell.mean, sd=0.0))
        for metric, cell in cells.items()
    }
    low = Figure(known=Spread(runs=31, mean=0.01, sd=0.001))
    # s is one of 20 questions, t(.975, 30) = 2.042: 2.042 * 0.05 * sqrt(1/31 + 1) = 0.1038
    rows = {"BM25": figures | {"MRR@10": low}}
    write_expected(tmp_path / "e.yaml", Expected(origin=table.origin, rows=rows))
    assert cells["MRR@10"].mean > 0.01 + 2 * 0.104
    checked = [*command, f"table.expected={tmp_path}/e.yaml"]
    assert main(checked) == 0
    line = f"reproduction: 3 ok, 0 near, 1 off of 4 cells ({tmp_path}/e.yaml)"
    assert line in capsys.readouterr().out
    assert json.loads((tmp_path / "table" / "reproduction.json").read_text())["summary"] == line
    assert main([*checked, "table.check=true"]) == 1
    assert capsys.readouterr().err.startswith("ltrgr table: NotReproducedError: a cell is off")
    swept = ["evaluation.b=0.4,0.5", "-m", "hydra/launcher=basic"]
    assert main([*checked, "table.check=true", *swept]) == 1
    assert "2 of the 2 jobs" in capsys.readouterr().err  # one that is off does not end the others
    assert main([*checked, "evaluation.k1=1.2", "compute.threads=1"]) == 0
    assert f"{line}; with other settings: evaluation.k1=1.2" in capsys.readouterr().out
    assert main([*command, "table.expected=no.yaml", "table.check=true"]) == 0
    told = "reproduction: no verdicts: there is no file no.yaml"
    assert told in capsys.readouterr().out
    assert main([*command, "corpus.seed=1", f"table.expected={tmp_path}/e.yaml"]) == 0
    assert "e.yaml is for the corpus demo-0 (" in capsys.readouterr().out
    assert main(command) == 0
    assert not (tmp_path / "table" / "reproduction.json").exists()


def test_a_malformed_expectation_is_named_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "e.yaml").write_text("corpus: 3")
    command = ["table", f"root={tmp_path}", *SMALL, f"table.expected={tmp_path}/e.yaml"]
    assert main(command) == 2
    error = capsys.readouterr().err
    told = "e.yaml: corpus: found 3, expected names with values"
    assert told in error and len(error.strip().splitlines()) == 1
    assert not (tmp_path / "evaluate").exists()


def test_an_unknown_system_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", f"root={tmp_path}", *SMALL[:4], "system=rnk"]) == 2
    assert "expected one of bm25, pretrain, rank" in capsys.readouterr().err
    assert main(["search", "who?", f"root={tmp_path}", *SMALL[:4], "system=bm25"]) == 2
    assert "expected one of pretrain, rank" in capsys.readouterr().err
    assert main(["search", "who?", f"root={tmp_path}", *SMALL[:4], "k=0"]) == 2
    assert "k=0: expected a whole number of passages, 1 or more" in capsys.readouterr().err
    assert not (tmp_path / "pretrain").exists()


def test_threads_are_fixed_where_nothing_is_trained(tmp_path: Path) -> None:
    torch.set_num_threads(2)
    try:
        bm25 = ["evaluate", "system=bm25", f"root={tmp_path}", *SMALL[:4], SMALL[5]]
        assert main([*bm25, "compute.threads=1"]) == 0
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(1)


def test_a_varied_setting_multiplies_the_rows(tmp_path: Path) -> None:
    varied = [
        "table.vary={label: b, setting: evaluation.b, overrides: ['evaluation.k1=1.2'], "
        "values: [0, 0.75], along: {evaluation.passages: [100, 50]}}",
        "table.rows=[{name: BM25, system: bm25}, {name: fixed, system: bm25, varies: false}]",
        "table.only=[]",
    ]
    assert main(["table", f"root={tmp_path}", *SMALL[:4], SMALL[5], *varied]) == 0
    table = json.loads((tmp_path / "table" / "table.json").read_text())
    places = [(row["name"], row["line"], row["x"]) for row in table["rows"]]
    assert places == [
        ("BM25, b 0", "BM25", 0.0),
        ("BM25, b 0.75", "BM25", 0.75),
        ("fixed", "fixed", None),
    ]
    assert table["varied"] == "b"
    settings = [
        json.loads(done.read_text())["inputs"]["settings"]
        for done in (tmp_path / "evaluate").glob("*/DONE.json")
    ]
    expected = [(0.9, 0.4, 100), (1.2, 0, 100), (1.2, 0.75, 50)]
    assert sorted((s["k1"], s["b"], s["passages"]) for s in settings) == expected


def test_options_can_vary_too(tmp_path: Path) -> None:
    varied = [
        "table.vary={label: split, setting: evaluation.split, values: [dev, test]}",
        "table.rows=[{name: BM25, system: bm25}]",
        "table.only=[]",
    ]
    assert main(["table", f"root={tmp_path}", *SMALL[:4], SMALL[5], *varied]) == 0
    table = json.loads((tmp_path / "table" / "table.json").read_text())
    named = [(row["name"], row["line"], row["x"]) for row in table["rows"]]
    assert named == [("BM25, split dev", "", None), ("BM25, split test", "", None)]


def test_rows_without_a_seed_are_left_out(tmp_path: Path) -> None:
    rows = "table.rows=[{name: BM25, system: bm25}, {name: LTRGR, system: rank, seeds: []}]"
    assert main(["table", f"root={tmp_path}", *SMALL[:4], SMALL[5], rows]) == 0
    table = json.loads((tmp_path / "table" / "table.json").read_text())
    assert [row["name"] for row in table["rows"]] == ["BM25"]


def test_a_misspelt_row_is_told_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["table", f"root={tmp_path}", *SMALL[:4], "table.only=[BM25,LTGR]"]) == 2
    assert "no row 'LTGR'. Did you mean LTRGR?" in capsys.readouterr().err
    assert not (tmp_path / "evaluate").exists()


def test_settings_that_vary_along_must_be_as_many(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    varied = "table.vary={label: b, setting: evaluation.b, values: [0, 0.75], along: {seed: [1]}}"
    assert main(["table", f"root={tmp_path}", *SMALL[:4], varied]) == 2
    assert "table.vary.along.seed has 1 values" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("scoring.coverage=2", "scoring.coverage=2: expected a number from 0 to 1"),
        ("evaluation.split=tset", "evaluation.split='tset': expected one of train, dev, test"),
        ("evaluation.k1=abc", "evaluation.k1='abc': expected a finite number, 0 or more"),
        ("evaluation.questions=0", "evaluation.questions=0: expected a whole number, 1 or more"),
        ("decoding.num_beams=0", "decoding.num_beams=0: expected a whole number from 1 to 1,000"),
        ("compute.threads=0", "compute.threads=0: expected a whole number, 1 or more"),
        ("optimized_metric=hits@7", "optimized_metric=hits@7: expected one of hits@1, hits@5"),
        ("experiment=beams", "for another command; run: ltrgr table "),
        ("hydra/launcher=submitit_slurm", 'It comes with: pip install -e ".[slurm]"'),
        ("loss.lambda_generation=abc", "loss.lambda_generation='abc': expected a finite"),
        ("+loss.objective.terms.rank1.ramp=[1]", "found ramp=[1]"),
    ],
)
def test_a_value_that_is_refused_is_told_in_one_line_before_any_work(
    override: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rank", f"root={tmp_path}", *SMALL[:4], override]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert "Traceback" not in error
    assert not list(tmp_path.glob("[!h]*"))  # nothing but hydra's folder


def test_a_root_that_cannot_be_made_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    for root in ("/proc/nope", tmp_path / "file" / "runs"):
        assert main(["index", f"root={root}", *SMALL[:4]]) == 2
        error = capsys.readouterr().err
        assert f"root={root}: cannot write to" in error
        assert "Traceback" not in error


def test_the_index_verb_mends_a_damaged_index(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["index", f"root={tmp_path}", *SMALL[:4]]
    assert main(command) == 0
    (path,) = tmp_path.glob("index/*/fm_index/occurrences.npy")
    whole = path.read_bytes()
    path.write_bytes(whole[:500] + bytes([whole[500] ^ 1]) + whole[501:])
    assert main(command) == 0
    assert path.read_bytes() == whole
    assert len(list(tmp_path.glob("index/*.broken-1"))) == 1
    capsys.readouterr()
    assert main([*command, "index.shard_tokens=1000"]) == 0
    assert "(found, not built; force=true does it again)" in capsys.readouterr().out


def test_a_loss_is_tried_out_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cold = ["loss=infonce", "loss.temperature=0"]
    assert main(["rank", f"root={tmp_path}", *SMALL[:4], *cold]) == 2
    assert "loss.temperature=0: expected a finite number above 0" in capsys.readouterr().err
    body = "def loss(scores, relevance, mask, margin):\n    return 1 + 'x'\n"
    (tmp_path / "faulty.py").write_text(body)
    monkeypatch.syspath_prepend(tmp_path)
    own = "loss.objective.terms.rank1.loss={_target_: faulty.loss, _partial_: true}"
    assert main(["rank", f"root={tmp_path}", *SMALL[:4], own]) == 1
    error = capsys.readouterr().err
    assert "Traceback" in error and "return 1 + 'x'" in error  # the user's own fault, to be found
    assert not list(tmp_path.glob("[!hf_]*"))


def test_the_notes_name_each_system_whose_stage_one_does_not_generate(tmp_path: Path) -> None:
    """Five steps teach nothing; the two models share their stage 1, BM25 has none."""
    rows = "{name: BM25, system: bm25}, {name: MINDER, system: pretrain}, {name: L, system: rank}"
    few = [
        "pretrain.steps=5", "pretrain.dev_questions=10", "mine.questions=20", "mine.passages=10",
        "rank.steps=1", "rank.batch_size=2", "rank.dev_questions=4", "evaluation.questions=4",
        "wandb.mode=disabled", "table.seeds=[0]", "table.workers=1", "table.comparisons=[]",
    ]  # fmt: skip
    table = ["table", f"root={tmp_path}", *SMALL[:4], SMALL[5], f"table.rows=[{rows}]", *few]
    assert main(table) == 0
    notes = json.loads((tmp_path / "table" / "table.json").read_text())["notes"]
    (line,) = [note for note in notes if "not learnt to generate" in note]
    assert line.startswith("MINDER, seed 0; L, seed 0: stage 1 has not learnt to generate")
    assert "raise pretrain.steps or pretrain.optimizer.lr" in line


def test_a_command_says_what_it_found_and_does_it_again_when_forced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = [f"root={tmp_path}", *SMALL[:4]]

    def evaluated(*more: str) -> tuple[str, Path, int]:
        assert main(["evaluate", "system=bm25", *settings, *more]) == 0
        (run,) = tmp_path.glob("evaluate/*/run.trec")
        return capsys.readouterr().out, run, run.stat().st_ino

    first, run, made = evaluated()
    bytes_of_run = run.read_bytes()
    second, _, found = evaluated()
    third, run, again = evaluated("force=true")
    note = "(found, not searched; force=true does it again)"
    assert [note in text for text in (first, second, third)] == [False, True, False]
    assert made == found != again
    assert run.read_bytes() == bytes_of_run

    assert main(["index", *settings]) == 0
    assert "found" not in capsys.readouterr().out
    assert main(["index", *settings]) == 0
    assert "(found, not built; force=true does it again)" in capsys.readouterr().out
    assert main(["index", *settings, "force=true"]) == 0
    assert "found" not in capsys.readouterr().out
