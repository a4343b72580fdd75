"""A sweep's surface as CSV and PNG."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from run_folders import sweep

from ltrgr.report.page.surface_files import write_surfaces


def test_a_grid_becomes_a_tidy_table_and_a_picture(tmp_path: Path) -> None:
    sweep(tmp_path / "runs", margins=(0.5, 1.0, 2.0), lambdas=(0.0, 1.0, 2.6), seeds=2)
    table, picture = write_surfaces(tmp_path / "runs", tmp_path / "out", samples=200)
    assert (table.name, picture.name) == (
        "margin_by_lambda_generation_test.csv",
        "margin_by_lambda_generation_test.png",
    )
    rows = {
        (float(row["margin"]), float(row["lambda_generation"])): row
        for row in csv.DictReader(table.open())
    }
    assert len(rows) == 9
    # right = 0.4 + 0.5 (i + j) / 4 of 60 questions, rounded to whole questions
    assert float(rows[0.5, 0.0]["hits@5"]) == pytest.approx(24 / 60)
    assert float(rows[2.0, 2.6]["hits@5"]) == pytest.approx(54 / 60)
    assert rows[2.0, 2.6]["hits@5 std"] == "0.000000"
    assert {at for at, row in rows.items() if row["hits@5 stable"] == "1"} == {(2.0, 2.6)}
    assert {row["seeds"] for row in rows.values()} == {"2"}
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_one_swept_setting_is_one_column(tmp_path: Path) -> None:
    sweep(tmp_path / "runs", margins=(1.0, 2.0), lambdas=(1.0,), seeds=1)
    table, _ = write_surfaces(tmp_path / "runs", tmp_path / "out", samples=200)
    assert table.name == "margin_test.csv"
    rows = list(csv.DictReader(table.open()))
    assert [row["margin"] for row in rows] == ["1.0", "2.0"]
    assert "lambda_generation" not in rows[0]
