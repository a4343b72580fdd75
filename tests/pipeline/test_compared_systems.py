"""Rows, spread and significance of the main table."""

import numpy as np
import pytest

from ltrgr.pipeline.compared_systems import Comparison, System, make_table
from ltrgr.pipeline.evaluate_stage import Measured

IDS = tuple(f"q{i}" for i in range(40))


def measured(values: list[float], seconds: float = 0.1) -> Measured:
    return Measured(
        query_ids=IDS, values={"hits@5": np.array(values)}, seconds_per_question=seconds
    )


def test_means_spread_and_letters() -> None:
    base = System(name="base", runs=[measured([0.0] * 40)])
    # two seeds: 30 and 20 of 40 questions answered; per question their mean, clearly above 0
    better = System(
        name="better",
        runs=[measured([1.0] * 30 + [0.0] * 10, 0.2), measured([1.0] * 20 + [0.0] * 20, 0.4)],
    )
    # two questions differ: the exact test gives p = 2 / 4
    alike = System(name="alike", runs=[measured([1.0] * 2 + [0.0] * 38)])
    table = make_table(
        [base, better, alike],
        title="t",
        metrics={"hits@5": "H5"},
        comparisons=[
            Comparison(reference="base", letter="b"),
            Comparison(reference="-", letter="x"),
        ],
        level=0.05,
        samples=2000,
    )
    cells = {row.name: row.cells["H5"] for row in table.rows}
    assert cells["base"].mean == 0.0
    assert cells["base"].letters == ""
    assert cells["better"].mean == pytest.approx((30 + 20) / 2 / 40)
    assert cells["better"].spread == pytest.approx(np.std([0.75, 0.5], ddof=1))
    assert cells["better"].values == (0.75, 0.5)  # of each run, in the order of the seeds
    assert cells["base"].values == (0.0,)
    assert cells["better"].letters == "b"
    assert cells["alike"].letters == ""
    assert {row.name: row.seeds for row in table.rows} == {"base": 1, "better": 2, "alike": 1}
    assert table.rows[1].seconds == pytest.approx(0.3)
    assert not any(note.startswith("x:") for note in table.notes)  # no such row, no such letter


def test_each_row_against_its_own_base() -> None:
    none, some, every = ([1.0] * n + [0.0] * (40 - n) for n in (0, 20, 40))
    systems = [
        System(name="a", runs=[measured(none)]),
        System(name="a+", runs=[measured(some)], base="a"),
        System(name="b", runs=[measured(some)]),
        System(name="b+", runs=[measured(some)], base="b"),
        System(name="c+", runs=[measured(every)], base="not a row"),
    ]
    table = make_table(
        systems,
        title="t",
        metrics={"hits@5": "H5"},
        comparisons=[Comparison(reference=None, letter="b")],
        level=0.05,
        samples=2000,
    )
    letters = {row.name: row.cells["H5"].letters for row in table.rows}
    assert letters == {"a": "", "a+": "b", "b": "", "b+": "", "c+": ""}
    assert table.notes[0].startswith("b: differs from its own base")
