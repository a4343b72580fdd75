"""A sweep's surface as CSV and PNG."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread
from run_folders import artefact, evaluation, record_sweep, sweep

from ltrgr.report.page.groups import comparables
from ltrgr.report.page.runs import Runs
from ltrgr.report.page.surface import surfaces
from ltrgr.report.page.surface_files import write_surfaces
from ltrgr.report.page.sweeps import swept


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
    colours = imread(picture)
    framed = np.abs(colours[..., :3] - to_rgb("#d55e00")).max(axis=2) < 0.02
    assert framed.any()  # the stable region


def test_one_swept_setting_is_one_column(tmp_path: Path) -> None:
    sweep(tmp_path / "runs", margins=(1.0, 2.0), lambdas=(1.0,), seeds=1)
    table, _ = write_surfaces(tmp_path / "runs", tmp_path / "out", samples=200)
    assert table.name == "margin_test.csv"
    rows = list(csv.DictReader(table.open()))
    assert [row["margin"] for row in rows] == ["1.0", "2.0"]
    assert "lambda_generation" not in rows[0]


def test_a_surface_is_of_its_sweep_alone(tmp_path: Path) -> None:
    """Beside it lies a system whose two losses have two margins, and more settings of its own."""
    root = tmp_path / "runs"
    grid = sweep(root, margins=(0.5, 1.0), lambdas=(0.0, 1.0), seeds=1)
    other = json.loads(json.dumps(dict(Runs.load(root).of("rank")[0].inputs)))
    other["settings"]["objective"]["terms"]["rank1"]["loss"]["margin"] = 9.0
    other["settings"]["learnable_parameters"] = ["coverage"]
    evaluation(root, "rank", artefact(root, "rank", other), right=1.0, noise=9)
    (everything,) = comparables(Runs.load(root))
    lost = surfaces(everything.ranked, everything.axes)  # no axis "margin" for both terms
    assert {axis.name for one in lost for axis in (one.x, one.y)} == {"lambda_generation"}

    record_sweep(root, "2026-01-02_03-04-05", grid[:2])  # killed, and then
    record_sweep(root, "2026-01-02_04-05-06", grid)
    runs = Runs.load(root)
    ((_, surface),) = swept(runs, [everything])
    assert (surface.x.name, surface.y.name) == ("margin", "lambda_generation")
    assert len(surface.cells) == 4

    record_sweep(root, "2026-01-03_00-00-00", grid[:2])  # the same two: a later sweep
    names = [path.name for path in write_surfaces(root, tmp_path / "out", samples=100)]
    assert names == [
        "lambda_generation_test.csv",
        "lambda_generation_test.png",
        "margin_by_lambda_generation_test.csv",
        "margin_by_lambda_generation_test.png",
    ]


def test_an_outcome_that_is_cut_off_is_passed_over(tmp_path: Path) -> None:
    grid = sweep(tmp_path, margins=(0.5, 1.0), lambdas=(1.0,), seeds=1)
    record_sweep(tmp_path, "2026-01-02_03-04-05", grid)
    (tmp_path / "hydra" / "2026-01-02_03-04-05" / "0" / "outcome.json").write_text("{")
    runs = Runs.load(tmp_path)
    sets = comparables(runs)
    ((one, line),) = swept(runs, sets)  # one evaluation is no sweep: all that lies here
    assert one is sets[0]
    assert line.xs == (0.5, 1.0)
