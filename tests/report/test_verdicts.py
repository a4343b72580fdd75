"""Verdicts of a whole table, and the file they are read from."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from ltrgr.evaluation.reproduction import Spread
from ltrgr.report.expected import Expected, ExpectedError, Figure, read_expected, write_expected
from ltrgr.report.result_table import Cell, Origin, ResultTable, Row
from ltrgr.report.verdicts import (
    UNKNOWN,
    Judged,
    Reproduction,
    changed,
    judge,
    verdict_table,
    write_reproduction,
)

ORIGIN = Origin(
    corpus="demo-0",
    checksum="038b4f383d326de7",
    split="test",
    questions=1000,
    varies={"seeds": ("0", "1"), "cpus": ("A, AVX2",)},
)
EXPECTED = Expected(
    origin=ORIGIN,
    notes={"note": "ours", "minutes": 2.5},
    rows={
        "LTRGR": {
            # half-width for three seeds: 4.302653 * 0.01 * sqrt(2/3) = 0.035131
            "hits@5": Figure(known=Spread(runs=3, mean=0.76, sd=0.01), seeds=3, paper=68.8),
            "MRR@10": Figure(known=Spread(runs=3, mean=0.6, sd=0.01), seeds=3),
        },
        "BM25": {"hits@5": Figure(known=Spread(runs=1, mean=0.738))},
        "SEAL": {"hits@5": Figure(known=Spread(runs=1, mean=0.7))},
    },
)


def table(*, ltrgr: float, mrr: float | None, origin: Origin | None = ORIGIN) -> ResultTable:
    cells = {"hits@5": Cell(mean=ltrgr)} | ({} if mrr is None else {"MRR@10": Cell(mean=mrr)})
    rows = (
        Row(name="LTRGR", cells=cells, seeds=3),
        Row(name="BM25", cells={"hits@5": Cell(mean=0.738)}),
        Row(name="new", cells={"hits@5": Cell(mean=0.5)}),
    )
    return ResultTable(title="T", metrics=("hits@5", "MRR@10"), rows=rows, origin=origin)


def test_each_cell_has_a_verdict_and_one_line_sums_them_up() -> None:
    found = judge(table(ltrgr=0.80, mrr=0.60), EXPECTED, source="e.yaml")
    verdicts = {(cell.row, cell.metric): cell.verdict for cell in found.cells}
    assert verdicts == {
        ("LTRGR", "hits@5"): "near",
        ("LTRGR", "MRR@10"): "ok",
        ("BM25", "hits@5"): "one run: no interval",
        ("new", "hits@5"): "not in the file",
        ("SEAL", "hits@5"): "not in the table",
    }
    assert found.summary == (
        "reproduction: 1 ok, 1 near, 0 off, 1 with one run: no interval (1 equal to it), "
        "1 not in the file of 4 cells (e.yaml); not in the table: SEAL"
    )
    assert not found.off
    assert judge(table(ltrgr=0.84, mrr=0.60), EXPECTED, source="e.yaml").off


def test_a_metric_that_is_missing_is_named_with_its_row() -> None:
    found = judge(table(ltrgr=0.76, mrr=None), EXPECTED, source="e.yaml")
    assert found.summary.endswith("; not in the table: LTRGR MRR@10, SEAL")


def test_cells_that_are_not_ok_show_where_they_were_expected() -> None:
    out = StringIO()
    found = judge(table(ltrgr=0.84, mrr=0.60), EXPECTED, source="e.yaml")
    Console(file=out, width=120).print(verdict_table(found))
    lines = [line.split() for line in out.getvalue().splitlines()]
    assert ["LTRGR", *["off", "84.0", "(72.5", "to", "79.5)", "ok"]] in lines
    assert ["BM25", *["one", "run", "73.8", "(73.8)", "-"]] in lines
    assert ["new", *["not", "in", "the", "file", "50.0", "-"]] in lines


def test_other_questions_get_no_verdicts_and_one_reason() -> None:
    other = replace(ORIGIN, corpus="mine", checksum="ffff")
    found = judge(table(ltrgr=0.1, mrr=0.1, origin=other), EXPECTED, source="e.yaml")
    assert found.cells == () and not found.off
    assert found.summary == (
        "reproduction: no verdicts: e.yaml is for the corpus demo-0 (038b4f383d32); "
        "this one is mine (ffff)"
    )
    dev = judge(
        table(ltrgr=0.1, mrr=0.1, origin=replace(ORIGIN, split="dev", questions=20)),
        EXPECTED,
        source="e.yaml",
    )
    assert dev.summary.endswith("e.yaml is for 1000 questions of test; these are 20 of dev")
    ratio = judge(table(ltrgr=0.1, mrr=0.1), replace(EXPECTED, unit="ratio"), source="e.yaml")
    assert ratio.summary.endswith("has figures in ratio, expected percent")


def test_settings_of_the_user_are_named() -> None:
    given = ("loss.margin=2", "table.seeds=[0]", "root=x", "rank.seed=3", "hydra/launcher=local")
    given += ("pretrain.precision=32-true", "experiment=[demo_quick,losses]", "corpus.path=y")
    assert changed(given, ["experiment=losses", "model=minilm"]) == [
        "loss.margin=2",
        "experiment=demo_quick",
        "without model=minilm",
    ]
    mine = table(ltrgr=0.84, mrr=0.60, origin=replace(ORIGIN, overrides=("loss.margin=2",)))
    summary = judge(mine, EXPECTED, source="e.yaml").summary
    assert summary.endswith("; with other settings: loss.margin=2")


def test_verdicts_lie_beside_the_table(tmp_path: Path) -> None:
    path = write_reproduction(judge(table(ltrgr=0.76, mrr=0.6), EXPECTED, source="e"), tmp_path)
    stored = json.loads(path.read_text())
    assert path.name == "reproduction.json"
    assert stored["summary"].startswith("reproduction: 2 ok")
    assert stored["cells"][0]["interval"] == pytest.approx([0.724869, 0.795131], abs=1e-6)


def test_a_file_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "expected.yaml"
    write_expected(path, EXPECTED)
    assert read_expected(path) == EXPECTED
    stored = yaml.safe_load(path.read_text())
    assert stored["rows"]["LTRGR"]["hits@5"] == {
        "mean": 76.0,
        "sd": 1.0,
        "runs": 3,
        "seeds": 3,
        "interval": [72.49, 79.51],
        "paper": 68.8,
    }
    assert stored["rows"]["BM25"]["hits@5"]["interval"] is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"corpus": None}, "corpus: found None, expected names with values"),
        ({"questions": 0}, "questions: found 0, expected a whole number, 1 or more"),
        ({"unit": "points"}, "unit: found 'points', expected one of percent, ratio"),
        ({"rows": [1]}, "rows: found [1], expected names with values"),
        ({"rows": {"A": {"m": {"runs": 1, "seeds": 1}}}}, "rows.A.m.mean: found None"),
        (
            {"rows": {"A": {"m": {"runs": 2, "seeds": 1, "mean": 1, "sd": None}}}},
            "rows.A.m.sd: found None, expected a number",
        ),
        ({"varies": {"seeds": 3}}, "varies.seeds: found 3, expected a list"),
    ],
)
def test_a_malformed_file_is_one_line_with_its_field(
    change: dict[str, object], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "expected.yaml"
    write_expected(path, EXPECTED)
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | change))
    with pytest.raises(ExpectedError) as caught:
        read_expected(path)
    assert str(caught.value).startswith(f"{path}: {message}")
    assert "\n" not in str(caught.value)


def test_what_is_no_yaml_is_one_line_too(tmp_path: Path) -> None:
    path = tmp_path / "expected.yaml"
    path.write_text("rows: {a\nb: [")
    with pytest.raises(ExpectedError, match=r"expected\.yaml: cannot be read: ") as caught:
        read_expected(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[2] / "experiments").glob("*/expected*.yaml")), ids=str
)
def test_every_committed_file_reads_and_its_intervals_follow_from_its_runs(
    path: Path, tmp_path: Path
) -> None:
    write_expected(tmp_path / "again.yaml", read_expected(path))
    assert (tmp_path / "again.yaml").read_text() == path.read_text()


def test_an_outdated_file_gives_no_verdict_until_it_is_recorded_again(tmp_path: Path) -> None:
    old = replace(EXPECTED, notes={**EXPECTED.notes, "outdated": "another stage 1"})
    write_expected(tmp_path / "expected.yaml", old)
    read = read_expected(tmp_path / "expected.yaml")
    found = judge(table(ltrgr=0.2, mrr=0.2), read, source="e.yaml")
    assert found.summary == "reproduction: no verdicts: e.yaml is outdated: another stage 1"
    assert not found.off
    assert not found.cells


def test_the_verdicts_rows_keep_their_brackets() -> None:
    cell = Judged(row="k=[1,2] [/x]\x1b", metric="[m]", verdict=UNKNOWN, found=0.5)
    out = StringIO()
    Console(file=out, width=120).print(verdict_table(Reproduction(summary="", cells=(cell,))))
    assert r"k=[1,2] [/x]\x1b" in out.getvalue()
    assert "[m]" in out.getvalue()
