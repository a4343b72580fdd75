"""Dev chooses what the page shows first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from run_folders import sweep

from ltrgr.report.page.groups import comparables
from ltrgr.report.page.result_tables import chosen
from ltrgr.report.page.runs import Runs


def test_dev_chooses_the_system_of_the_headline(tmp_path: Path) -> None:
    """Margin 2 is best on test, margin 1 on dev: the page shows margin 1, with its test figures."""
    root = tmp_path / "runs"
    sweep(root, margins=(1.0, 2.0), lambdas=(1.0,), seeds=1)
    runs = Runs.load(root)
    (test,) = comparables(runs)
    best = test.best()
    assert best is not None
    assert chosen([test]) == (best, "test")
    other = next(group for group in test.ranked if group is not best)
    on_dev = replace(test, split="dev", questions=10, groups=(replace(other, runs=other.runs),))
    assert chosen([test, on_dev]) == (other, "dev")
    elsewhere = replace(on_dev, corpus="another")
    assert chosen([test, elsewhere]) == (best, "test")
