from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from ltrgr.report.png import as_png
from ltrgr.report.render import latex, markdown, text, write_all
from ltrgr.report.result_table import Cell, Origin, ResultTable, Row, from_json, to_json
from ltrgr.report.table_figure import table_figure

TABLE = ResultTable(
    title="Demo",
    metrics=("hits@5", "MRR@10"),
    rows=(
        Row(name="BM25", cells={"hits@5": Cell(mean=0.7504)}, seconds=0.00123),
        Row(
            name="MINDER & co_1",
            cells={"hits@5": Cell(mean=0.8), "MRR@10": Cell(mean=0.5)},
            seconds=0.0456,
        ),
        Row(
            name="LTRGR",
            cells={
                "hits@5": Cell(mean=0.80049, spread=0.0121, letters="a"),
                "MRR@10": Cell(mean=0.625, spread=0.01),
            },
            seconds=12.34,
            seeds=3,
        ),
    ),
    notes=("a: differs from MINDER, p < 0.05",),
)

MARKDOWN = """\
**Demo**

| model | hits@5 | MRR@10 | seconds / question | seeds |
| :-- | --: | --: | --: | --: |
| BM25 | 75.0 | - | **0.0012** | 1 |
| MINDER & co_1 | **80.0** | 50.0 | 0.046 | 1 |
| LTRGR | **80.0** ± 1.2 <sup>a</sup> | **62.5** ± 1.0 | 12 | 3 |

<sup>a</sup> differs from MINDER, p < 0.05
"""

LATEX = r"""\begin{table}[t]
\centering
\begin{tabular}{lrrrr}
\toprule
model & hits@5 & MRR@10 & seconds / question & seeds \\
\midrule
BM25 & 75.0 & -- & \textbf{0.0012} & 1 \\
MINDER \& co\_1 & \textbf{80.0} & 50.0 & 0.046 & 1 \\
LTRGR & \textbf{80.0}\,$\pm$\,1.2$^{a}$ & \textbf{62.5}\,$\pm$\,1.0 & 12 & 3 \\
\bottomrule
\end{tabular}
\caption{Demo. $^{a}$ differs from MINDER, p $<$ 0.05.}
\end{table}
"""

TERMINAL = """\
Demo
model           hits@5       MRR@10       seconds / question   seeds
────────────────────────────────────────────────────────────
BM25            75.0         -            0.0012       1
MINDER & co_1   80.0         50.0         0.046         1
LTRGR           80.0 ±1.2ᵃ  62.5 ±1.0    12         3
ᵃ differs from MINDER, p < 0.05
"""


def squeezed(words: str) -> list[list[str]]:
    return [line.split() for line in words.splitlines() if line.strip(" ─")]


def test_markdown_marks_the_best_as_printed_and_the_significant() -> None:
    assert markdown(TABLE) == MARKDOWN


def test_latex_is_booktabs_and_escaped() -> None:
    assert latex(TABLE) == LATEX


def test_terminal_shows_the_same_cells() -> None:
    assert squeezed(text(TABLE)) == squeezed(TERMINAL)


def test_numbers_stay_in_line_whatever_letters_follow() -> None:
    rows = tuple(
        Row(name=name, cells={"hits@5": Cell(mean=mean, letters=letters)})
        for name, mean, letters in (("one", 0.5, ""), ("two", 0.25, "m"), ("three", 1.0, "ms"))
    )
    notes = ("m: differs from MINDER", "x: explains no letter")
    shown = text(ResultTable(title="T", metrics=("hits@5",), rows=rows, notes=notes)).splitlines()
    ends = [line.index(".") for line in shown if "." in line]
    assert len(set(ends)) == 1
    assert any("100.0ᵐˢ" in line for line in shown)
    assert [line.strip() for line in shown[-2:]] == [
        "ᵐ differs from MINDER",
        "x: explains no letter",
    ]


def test_less_than_a_millisecond_is_best_and_not_zero() -> None:
    rows = tuple(Row(name=str(s), cells={}, seconds=s) for s in (0.00004, 0.0009, 0.0010, 0.0011))
    table = ResultTable(title="T", metrics=(), rows=rows)
    assert [line.split("|")[2].strip() for line in markdown(table).splitlines()[4:]] == [
        "**< 0.001**",
        "**< 0.001**",
        "0.0010",
        "0.0011",
    ]


def test_a_narrow_terminal_cuts_no_number() -> None:
    narrow = text(TABLE, width=54)
    assert max(map(len, narrow.splitlines())) <= 54
    for number in ("75.0", "±1.2", "62.5", "0.0012", "12"):
        assert number in narrow
    assert "…" not in narrow


def test_seeds_and_notes_are_columns_only_where_they_tell_something() -> None:
    row = Row(name="x|y", cells={"hits@5": Cell(mean=1.0)}, note="eq. 3")
    table = ResultTable(title="T", metrics=("hits@5",), rows=(row,))
    assert markdown(table).splitlines()[2:] == [
        "| model | hits@5 | seconds / question | note |",
        "| :-- | --: | --: | :-- |",
        "| x\\|y | **100.0** | - | eq. 3 |",
    ]


def test_json_gives_the_table_back_with_full_precision() -> None:
    assert from_json(to_json(TABLE)) == TABLE
    with pytest.raises(ValueError, match="not a result table"):
        from_json("[1]")


def test_json_keeps_the_runs_and_the_origin_and_reads_tables_without_them() -> None:
    origin = Origin(
        corpus="demo-0",
        checksum="abc",
        split="test",
        questions=4,
        overrides=("seed=1",),
        varies={"seeds": ("0", "1")},
    )
    row = Row(name="A", cells={"hits@5": Cell(mean=0.625, values=(0.5, 0.75))}, seeds=2)
    table = ResultTable(title="T", metrics=("hits@5",), rows=(row,), origin=origin)
    assert from_json(to_json(table)) == table
    old = json.loads(to_json(table))
    del old["origin"], old["rows"][0]["cells"]["hits@5"]["values"]
    read = from_json(json.dumps(old))
    assert read.origin is None
    assert read.rows[0].cells["hits@5"] == Cell(mean=0.625)


def test_write_all_writes_the_four_files_and_nothing_else(tmp_path: Path) -> None:
    paths = write_all(TABLE, tmp_path / "new")
    assert {kind: path.name for kind, path in paths.items()} == {
        "md": "table.md",
        "tex": "table.tex",
        "json": "table.json",
        "png": "table.png",
    }
    assert sorted((tmp_path / "new").iterdir()) == sorted(paths.values())
    assert paths["md"].read_text() == MARKDOWN
    assert from_json(paths["json"].read_text()) == TABLE


def bar_lengths(png: bytes, tmp_path: Path, colour: tuple[int, int, int]) -> int:
    """Return the longest horizontal run of a colour, in pixels."""
    (tmp_path / "p.png").write_bytes(png)
    pixels = np.round(imread(tmp_path / "p.png")[:, :, :3] * 255).astype(int)
    return int((np.abs(pixels - colour).max(axis=2) <= 1).sum(axis=1).max())


def test_a_bar_is_as_long_as_its_value(tmp_path: Path) -> None:
    lengths = []
    for mean in (0.4, 0.8):
        row = Row(name="one", cells={"hits@5": Cell(mean=mean), "other": Cell(mean=1)})
        table = ResultTable(title="T", metrics=("hits@5", "other"), rows=(row,))
        png = as_png(table_figure(table))
        lengths.append(bar_lengths(png, tmp_path, (0x00, 0x72, 0xB2)))
    # The legend's patch has the colour too, but lies in other pixel rows.
    assert lengths[1] / lengths[0] == pytest.approx(2, rel=0.02)


def test_the_picture_has_an_error_bar_only_where_there_is_a_spread(tmp_path: Path) -> None:
    def dark(spread: float | None) -> int:
        row = Row(name="one", cells={"hits@5": Cell(mean=0.5, spread=spread)})
        table = ResultTable(title="T", metrics=("hits@5",), rows=(row,))
        png = as_png(table_figure(table))
        return bar_lengths(png, tmp_path, (0x33, 0x33, 0x33))

    assert dark(0.1) > 100  # 20 of 105 percent of some 900 pixels
    assert dark(None) < 20


def test_a_varied_setting_is_drawn_as_lines() -> None:
    rows = [
        Row(name=f"{line} {x}", cells={"hits@5": Cell(mean=0.5, spread=0.01)}, line=line, x=x)
        for line in ("A", "B")
        for x in (0.0, 1.0)
    ]
    rows.append(Row(name="C", cells={"hits@5": Cell(mean=0.4)}, line="C"))
    table = ResultTable(title="T", metrics=("hits@5",), rows=tuple(rows), varied="sigma")
    (panel,) = table_figure(table).axes
    curves = {c.get_label(): c.lines[0].get_xydata().tolist() for c in panel.containers}
    assert curves == {line: [[0, 50], [1, 50]] for line in ("A", "B")}
    constant = next(line for line in panel.lines if line.get_label() == "C")
    assert set(constant.get_ydata()) == {40}
    (panel,) = table_figure(replace(table, varied="")).axes
    assert [bar.get_width() for bar in panel.patches] == pytest.approx([50, 50, 50, 50, 40])
    assert from_json(to_json(table)) == table


def test_names_and_notes_are_not_read_as_markup_and_not_obeyed() -> None:
    row = Row(name="k=[1,2] [/x]", cells={"[m]": Cell(mean=0.5)}, note="[bold]n[/]\x1b[2J")
    strange = ResultTable(title="[t]\x1b[2J", metrics=("[m]",), rows=(row,), notes=("see [/y]",))
    shown = text(strange)
    for given in ("k=[1,2] [/x]", "[m]", r"[bold]n[/]\x1b[2J", r"[t]\x1b[2J", "see [/y]"):
        assert given in shown
    assert "\x1b" not in shown
