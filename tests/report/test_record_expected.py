"""experiments/record_expected.py: runs of several tables become one file."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from ltrgr.report.expected import Expected, read_expected, write_expected
from ltrgr.report.result_table import Cell, Origin, ResultTable, Row, to_json

SCRIPT = Path(__file__).parents[2] / "experiments" / "record_expected.py"
ORIGIN = Origin(
    corpus="demo-0", checksum="abc", split="test", questions=1000, varies={"cpus": ("A",)}
)


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("record_expected", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write(path: Path, values: list[float], origin: Origin | None = ORIGIN) -> str:
    cell = Cell(mean=sum(values) / len(values), values=tuple(values))
    rows = (
        Row(name="LTRGR", cells={"hits@5": cell}, seeds=len(values)),
        Row(name="BM25", cells={"hits@5": Cell(mean=0.738, values=(0.738,))}),
    )
    path.write_text(to_json(ResultTable(title="T", metrics=("hits@5",), rows=rows, origin=origin)))
    return str(path)


def test_runs_are_pooled_and_the_paper_stays(script: ModuleType, tmp_path: Path) -> None:
    first = write(tmp_path / "1.json", [0.74, 0.76])
    assert script.main([str(tmp_path), first]) == 0
    path = tmp_path / "expected.yaml"
    old = read_expected(path)
    rows = {"LTRGR": {"hits@5": replace(old.rows["LTRGR"]["hits@5"], paper=68.8)}}
    notes = {"note": "ours", "minutes": 3}
    write_expected(path, Expected(origin=old.origin, rows=rows, notes=notes))
    second = write(tmp_path / "2.json", [0.78], replace(ORIGIN, varies={"cpus": ("B",)}))
    assert script.main([str(tmp_path), first, second, "--varies", "threads=1,2"]) == 0
    new = read_expected(path)
    figure = new.rows["LTRGR"]["hits@5"]
    # 0.74, 0.76, 0.78: mean 0.76, s = sqrt((0.0004 + 0.0004) / 2) = 0.02
    assert (figure.known.runs, figure.seeds, figure.paper) == (3, 2, 68.8)
    assert figure.known.mean == pytest.approx(0.76)
    assert figure.known.sd == pytest.approx(0.02)
    bm25 = new.rows["BM25"]["hits@5"].known
    assert (bm25.runs, bm25.mean, bm25.sd) == (2, pytest.approx(0.738), pytest.approx(0))
    assert new.notes == notes
    assert new.origin.varies == {"cpus": ("A", "B"), "threads": ("1", "2")}


def test_the_same_table_twice_is_no_new_run(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, again = (write(tmp_path / name, [0.74, 0.76]) for name in ("1.json", "2.json"))
    assert script.main([str(tmp_path), first, again]) == 0
    assert f"{again}: left out, it repeats {first} in every cell" in capsys.readouterr().out
    assert read_expected(tmp_path / "expected.yaml").rows["LTRGR"]["hits@5"].known.runs == 2


def test_tables_of_an_older_version_give_their_summary(script: ModuleType) -> None:
    row = Row(name="A", cells={"m": Cell(mean=0.75, spread=0.01)}, seeds=3)
    (figure,) = script.record([ResultTable(title="T", metrics=("m",), rows=(row,))], paper={})[
        "A"
    ].values()
    assert (figure.known.runs, figure.known.mean) == (3, 0.75)
    assert figure.known.sd == pytest.approx(0.01)


def test_what_cannot_be_pooled_is_said_in_one_line(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = write(tmp_path / "1.json", [0.74])
    other = write(tmp_path / "2.json", [0.75], replace(ORIGIN, checksum="def"))
    assert script.main([str(tmp_path), first, other]) == 2
    assert "the tables differ in checksum: each file is for one" in capsys.readouterr().err
    bare = write(tmp_path / "3.json", [0.75], None)
    assert script.main([str(tmp_path), bare, "--corpus", "demo-0"]) == 2
    assert "expected --checksum, --split, --questions" in capsys.readouterr().err
    named = ["--corpus=demo-0", "--checksum=abc", "--split=test", "--questions=1000"]
    assert script.main([str(tmp_path), bare, *named]) == 0
    assert script.main([str(tmp_path), str(tmp_path / "no.json")]) == 2
    assert "no.json" in capsys.readouterr().err
    assert not (tmp_path / "no").exists()
