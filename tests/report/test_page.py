"""The page as text: what is on it, that data cannot break it, that it needs nothing else."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from run_folders import (
    BAD,
    HOSTILE,
    artefact,
    curve,
    evaluation,
    saying,
    stage_one,
    stage_two,
    sweep,
)

from ltrgr.report.page.chart import Series, line_chart
from ltrgr.report.page.groups import comparables
from ltrgr.report.page.highlight import Piece, pieces, spans
from ltrgr.report.page.page import write_page
from ltrgr.report.page.runs import NoRunsError, Runs
from ltrgr.report.page.surface import stable, surfaces
from ltrgr.report.result_table import Cell, ResultTable, Row, to_json

MARGINS, LAMBDAS = (0.5, 1.0, 2.0), (0.0, 1.0, 2.6)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    sweep(folder, margins=MARGINS, lambdas=LAMBDAS, seeds=2)
    row = Row(name=BAD, cells={"hits@5": Cell(mean=0.8125, spread=0.01, letters="m")}, seeds=2)
    (folder / "table").mkdir()
    table = ResultTable(title="Main", metrics=("hits@5",), rows=(row,), notes=("m: differs",))
    (folder / "table" / "table.json").write_text(to_json(table))
    return folder


@pytest.fixture(scope="module")
def page(root: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    output = tmp_path_factory.mktemp("page") / "new" / "report.html"
    assert write_page(root, output, title=f"Mine {BAD}", samples=200) == output
    return output.read_text(encoding="utf-8")


class Balanced(HTMLParser):
    """Complains where a tag closes that is not the innermost open one."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def markup_of(page: str) -> str:
    """The page without the contents of its scripts and its style sheet."""
    return re.sub(r"(<(style|script)[^>]*>).*?</\2>", r"\1</\2>", page, flags=re.DOTALL)


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<title>.*?</title>|<[^>]+>", " ", markup_of(page)))


def charts(page: str) -> list[tuple[str, dict[str, Any]]]:
    """Caption and Plotly figure of every chart, in the page's order."""
    pattern = r'<figcaption>(.*?)</figcaption>.*?<script type="application/json">(.*?)</script>'
    found = re.findall(pattern, page, flags=re.DOTALL)
    return [(label, json.loads(figure)) for label, figure in found]


def chart(page: str, label: str) -> dict[str, Any]:
    """The first chart of that caption."""
    return next(figure for found, figure in charts(page) if found == label)


def rows_of(page: str, section: str) -> dict[str, str]:
    """Name -> the rest of the line, of all tables of a section."""
    (part,) = re.findall(rf'<section id="{section}".*?</section>', page, flags=re.DOTALL)
    return dict(re.findall(r'<th[^>]*data-key="([^"]*)"[^>]*>.*?</th>(.*?)</tr>', part, re.DOTALL))


def test_every_section_is_there_and_every_tag_is_closed(page: str) -> None:
    for key in ("tables", "curves", "sweeps", "scores", "examples", "runs"):
        assert f'<section id="{key}"' in page
    parser = Balanced()
    parser.feed(page)
    assert parser.open == []


def test_data_is_escaped_everywhere(page: str) -> None:
    assert page.count("<script>") == 2  # Plotly's and ours; the others hold JSON
    assert BAD not in page
    assert markup_of(page).count("&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;") >= 8
    assert "Answer: a &lt;b&gt;" in page


def test_data_in_a_chart_ends_no_script_and_is_no_markup(tmp_path: Path) -> None:
    (tmp_path / "table").mkdir()
    rows = tuple(
        Row(name=BAD, line=f"{BAD} & 'x'", x=x, cells={"hits@5": Cell(mean=0.5)})
        for x in (0.0, 1.0)
    )
    table = ResultTable(title="T", metrics=("hits@5",), rows=rows, varied=f"</script>{BAD}")
    (tmp_path / "table" / "table.json").write_text(to_json(table))
    page = write_page(tmp_path, tmp_path / "r.html", title="T").read_text()
    assert BAD not in page
    assert page.count("</script>") == page.count("<script")
    figure = chart(page, "hits@5")
    # Plotly reads tags and entities: it shows the text that was escaped for it.
    escaped = '&lt;script&gt;alert("x")&lt;/script&gt;'
    assert figure["data"][0]["name"] == f"{escaped} &amp; 'x'"
    assert figure["layout"]["xaxis"]["title"]["text"] == f"&lt;/script&gt;{escaped}"


class Shape(HTMLParser):
    """The tags of a page with the names of their attributes, in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, ...]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, *(name for name, _ in attrs)))

    def handle_comment(self, data: str) -> None:
        self.found.append(("comment",))


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, ...]]:
    root = tmp_path_factory.mktemp("runs")
    saying(root, "harmless words")
    return Shape(
        write_page(root, root / "r.html", title="harmless words", samples=9).read_text()
    ).found


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_changes_the_markup(
    text: str, harmless: list[tuple[str, ...]], tmp_path: Path
) -> None:
    saying(tmp_path, text)
    page = write_page(tmp_path, tmp_path / "r.html", title=text, samples=9).read_text("utf-8")
    assert Shape(page).found == harmless
    shown = re.sub("[\0\x1b\x85\udcff]", "\ufffd", text)
    # Title and heading, question, passages, identifiers, commands, rows, notes, options, a file.
    assert html.unescape(markup_of(page)).count(shown) > 40
    assert not re.search("[\0-\x08\x0b\x0e-\x1f\x7f-\x9f]", markup_of(page))


def test_nothing_is_loaded_from_anywhere(page: str) -> None:
    markup = markup_of(page)
    assert not re.search(r"(src|href)=\"(?!#)", markup)
    assert not re.search(r"https?://", markup)
    (style,) = re.findall(r"<style>(.*?)</style>", page, flags=re.DOTALL)
    assert not re.search(r"https?://|@import|url\(", style)
    assert "default-src &#39;none&#39;; " in page
    assert page.count("plotly.js v") == 1  # once, for all charts


def test_the_same_runs_give_the_same_bytes(root: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from ltrgr.report.page.page import write_page;"
        "write_page(Path(sys.argv[1]), Path(sys.argv[2]), title='T', samples=20)"
    )
    pages = []
    shutil.copytree(root, tmp_path / "elsewhere")
    # The seed is that of Python's hashes: the order of its sets.
    for seed, where in (("1", root), ("2", tmp_path / "elsewhere")):
        output = tmp_path / f"{seed}.html"
        command = [sys.executable, "-c", code, str(where), str(output)]
        subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": seed})
        pages.append(output.read_bytes())
    assert pages[0] == pages[1]


def test_the_written_table_keeps_its_figures_and_letters(page: str) -> None:
    assert '<strong>81.2</strong><span class="spread"> ± 1.0</span><sup>m</sup>' in page


def test_what_was_measured_is_compared_with_its_own_stage_one(root: Path) -> None:
    (one,) = comparables(Runs.load(root))
    assert [group.system for group in one.groups] == ["bm25", "pretrain", *["rank"] * 9]
    best = one.best("hits@5")
    assert best is not None and best.apart == "margin 2, lambda_generation 2.6"
    assert best.seeds == (0, 1)
    assert best.mean("hits@5") == pytest.approx(0.9)
    runs = Runs.load(root)
    before = runs.before(comparables(runs)[0].ranked[0].runs[0])
    assert before is not None and before.inputs["system"] == "pretrain"


def test_letters_of_everything_measured(page: str) -> None:
    # 30 %, 50 % and 90 % of the same 60 questions: 12 or more differ one way, p < 0.001.
    rows = rows_of(page, "tables")
    best = rows["Stage 2: margin 2, lambda_generation 2.6"]
    assert re.search(r"<strong>90.0</strong>.*?<sup>bp</sup>", best)
    assert "<sup>b</sup>" in rows["Stage 1"]
    assert "<sup>" not in rows["BM25"]


def test_a_surface_holds_the_grid_and_marks_what_is_as_good_as_the_best(root: Path) -> None:
    (one,) = comparables(Runs.load(root))
    (surface,) = surfaces(one.ranked, one.axes)
    assert (surface.x.name, surface.y.name) == ("margin", "lambda_generation")
    assert (surface.xs, surface.ys) == (MARGINS, LAMBDAS)
    means = {at: group.mean("hits@5") for at, group in surface.cells.items()}
    # right = 0.4 + 0.5 (i + j) / 4 of 60 questions, rounded to whole questions
    assert means[0.5, 0.0] == pytest.approx(24 / 60)
    assert means[1.0, 2.6] == means[2.0, 1.0] == pytest.approx(46 / 60)
    # 54 against 46 questions: 8 differ, all one way: p = 2 / 2^8 < 0.05, so the best stands alone.
    assert stable(surface, "hits@5", samples=200, level=0.05) == {(2.0, 2.6)}
    # At p < 0.007 they do not differ; against 39 questions (15 differ) they still do.
    region = {(2.0, 2.6), (1.0, 2.6), (2.0, 1.0)}
    assert stable(surface, "hits@5", samples=200, level=0.007) == region


def test_a_heat_map_shows_the_grid_in_both_units_and_outlines_what_is_stable(page: str) -> None:
    figure = chart(page, "hits@5")
    (grid,) = figure["data"]
    # right = 0.4 + 0.5 (i + j) / 4 of 60 questions, rounded; rows are lambdas, columns margins
    counts = [[24, 32, 39], [32, 39, 46], [39, 46, 54]]
    assert grid["z"] == [[pytest.approx(100 * n / 60, abs=1e-3) for n in row] for row in counts]
    assert grid["text"][2] == ["65.0<br>± 0.0", "76.7<br>± 0.0", "<b>90.0</b><br>± 0.0"]
    assert grid["hovertext"][2][2] == (
        "Stage 2: margin 2, lambda_generation 2.6: 90.0, 2 seeds, stable"
    )
    # scores.json says that one key is worth 100.
    axes = figure["layout"]["xaxis"], figure["layout"]["yaxis"]
    assert axes[0]["ticktext"] == ["0.5 keys<br>50", "1 keys<br>100", "2 keys<br>200"]
    assert axes[1]["ticktext"] == ["0 keys<br>0", "1 keys<br>100", "2.6 keys<br>260"]
    assert [axis["title"]["text"] for axis in axes] == ["margin", "lambda_generation"]
    # The best cell, column 2 of row 2, is alone: its four sides.
    sides = {
        tuple(side[k] for k in ("x0", "y0", "x1", "y1")) for side in figure["layout"]["shapes"]
    }
    assert sides == {
        (1.5, 1.5, 1.5, 2.5), (2.5, 1.5, 2.5, 2.5), (1.5, 1.5, 2.5, 1.5), (1.5, 2.5, 2.5, 2.5),
    }  # fmt: skip


def test_the_cells_of_a_surface_are_a_table_too(page: str) -> None:
    rows = rows_of(page, "sweeps")
    assert len(rows) == 9
    best = rows.pop("Stage 2: margin 2, lambda_generation 2.6")
    assert '<strong>90.0</strong><span class="spread"> ± 0.0</span><sup>s</sup>' in best
    assert 'data-key="65.0"' in rows["Stage 2: margin 2, lambda_generation 0"]
    assert not any("<sup>" in row for row in rows.values())


def test_scores_are_bars_that_share_their_bins(page: str) -> None:
    figure = chart(page, "All listed, after stage 2")
    right, wrong = figure["data"]
    # positive 0, 1, 3 and negative 9, 2 of bins that are 5 wide
    assert right["y"] == [0, 25, 75]
    assert wrong["y"] == [pytest.approx(900 / 11, abs=1e-3), pytest.approx(200 / 11, abs=1e-3), 0]
    assert right["x"] == wrong["x"] == [2.5, 7.5, 12.5]
    assert right["customdata"][1] == "5 to 10"
    assert (right["name"], wrong["name"]) == ("relevant, median 12", "irrelevant, median 2")


def test_one_swept_setting_is_one_row(tmp_path: Path) -> None:
    sweep(tmp_path, margins=(1.0, 2.0), lambdas=(1.0,), seeds=1)
    (one,) = comparables(Runs.load(tmp_path))
    (line,) = surfaces(one.ranked, one.axes)
    assert line.x is line.y and line.xs == (1.0, 2.0)


def test_a_cell_is_never_filled_from_runs_with_another_setting(tmp_path: Path) -> None:
    sweep(tmp_path, margins=(1.0, 2.0), lambdas=(0.0, 1.0), seeds=1)
    runs = Runs.load(tmp_path)
    ranked = runs.of("rank")[0]
    other = json.loads(json.dumps(dict(ranked.inputs)))
    other["settings"]["steps"] = 99
    evaluation(tmp_path, "rank", artefact(tmp_path, "rank", other), right=1.0, noise=9)
    (one,) = comparables(Runs.load(tmp_path))
    assert {axis.name for axis in one.axes} == {"margin", "lambda_generation", "steps"}
    grid = next(s for s in surfaces(one.ranked, one.axes) if len(s.cells) == 4)
    assert ("steps", 20) in grid.held
    assert all(group.flat["rank.steps"] == 20 for group in grid.cells.values())


def test_older_runs_get_a_note_and_the_rest_of_the_page(tmp_path: Path) -> None:
    model = stage_one(tmp_path)
    evaluation(tmp_path, "pretrain", model, right=0.3, noise=1, shown=False)
    ranked = stage_two(tmp_path, model, margin=1.0, lam=1.0, seed=0)
    evaluation(tmp_path, "rank", ranked, right=0.6, noise=2, shown=False)
    words = text_of(write_page(tmp_path, tmp_path / "r.html", title="T", samples=99).read_text())
    assert "1 measured system lacks scores.json" in words
    assert "1 measured system lacks examples.json" in words
    assert "Score scale of trained pairs" in words
    assert "No setting was swept" in words


def test_stage_one_shows_what_dev_says_of_its_identifiers(tmp_path: Path) -> None:
    model = stage_one(tmp_path)
    names = [f"dev/identifier_accuracy{view}" for view in ("", "/body", "/title")]
    head = ",".join([*names, "dev/token_accuracy", "epoch", "step"])
    rows = "0.25,0.5,0,0.75,0,9\n0.5,0.75,0.25,0.875,0,19\n"
    curve(tmp_path, "pretrain", model, f"{head}\n{rows}", version=1)
    evaluation(tmp_path, "pretrain", model, right=0.3, noise=1)
    (run,) = Runs.load(tmp_path).of("pretrain")
    assert run.curves["dev/identifier_accuracy"] == [(9.0, 0.25), (19.0, 0.5)]
    words = text_of(write_page(tmp_path, tmp_path / "r.html", title="T", samples=99).read_text())
    for what in ("mean over the views", ": body", ": title"):
        assert (
            f"Greedy identifiers right on dev, percent{', ' if what[0] == 'm' else ''}{what}"
            in words
        )
    assert "Tokens right on dev after right ones" in words


def test_a_resumed_run_is_one_curve(tmp_path: Path) -> None:
    model = stage_one(tmp_path)
    head = "epoch,lr-AdamW,step,train/generation_loss\n"
    curve(tmp_path, "pretrain", model, f"{head}0,,25,1.5\n0,,30,1.25\n", version=10)
    curve(tmp_path, "pretrain", model, f"{head}0,,25,7.0\n", version=2)
    evaluation(tmp_path, "pretrain", model, right=0.3, noise=1)
    (run,) = Runs.load(tmp_path).of("pretrain")
    assert run.curves["train/generation_loss"][-2:] == [(25.0, 1.5), (30.0, 1.25)]
    assert len(run.curves["train/generation_loss"]) == 7


def test_nothing_to_report_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(NoRunsError, match="run `ltrgr table` or `ltrgr rank` first"):
        write_page(tmp_path, tmp_path / "r.html", title="T")


def test_the_page_needs_no_torch() -> None:
    code = "import sys; import ltrgr.report.page.page; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_heavy_identifier_takes_its_place_before_a_light_one() -> None:
    passage = "The old mill by the old mill stream"
    assert spans(passage, ["old mill stream", "old mill", "the old"]) == [(4, 12, 1), (20, 35, 0)]
    # whole words first, inside words only where it is long, marks of punctuation never
    assert spans("that hat, hatter", ["hat", "atter", "."]) == [(5, 8, 0), (11, 16, 1)]
    assert spans("Well ( 1852 )", ["well (1852)"]) == [(0, 13, 0)]


def test_a_passage_is_cut_at_its_identifiers(page: str) -> None:
    heavy = {"view": "body", "text": "a<b", "weight": 8.0, "count": 3}
    light = {"view": "body", "text": "y", "weight": 2.0, "count": 1}
    assert pieces("x a<b y", [heavy, light]) == [
        Piece("x "), Piece("a<b", heavy, 1.0), Piece(" "), Piece("y", light, 0.25),
    ]  # fmt: skip
    # View 1 of title and body; 10 of the heaviest 90 of its view.
    assert (
        '<mark class="v1" style="--w:0.11" title="body: weight 10.0, seen 3 times">'
        "the keeper &amp; his dog</mark>" in page
    )


def test_a_line_is_drawn_where_its_values_are() -> None:
    points = [(0, 0), (10, 1 / 3)]
    lines = [
        Series(name="mean", points=points, colour=7), Series(name="none", points=[], colour=0),
        Series(name="one", points=points, colour=7, thin=True),
    ]  # fmt: skip
    (one,) = line_chart(lines, label="L", x_label="x", zero=True, percent=True)
    mean, seed = one.data
    assert (mean.x, mean.y) == ((0, 10), (0, 33.3333))
    assert (mean.mode, mean.showlegend, seed.mode, seed.showlegend) == (
        "lines+markers", True, "lines", False,
    )  # fmt: skip
    assert mean.line.color == seed.line.color == "#d9682a"  # 7 is 1 of six
    assert one.layout.yaxis.rangemode == "tozero"
    assert line_chart(lines[1:2], label="L", x_label="x") == []


def test_each_seed_is_a_thin_line_beside_the_mean(page: str) -> None:
    lines = chart(page, "Loss, all components")["data"]
    # train/loss is 90 - s + seed
    assert [line["y"] for line in lines] == [
        [90, 85, 80, 75], [91, 86, 81, 76], [90.5, 85.5, 80.5, 75.5],
    ]  # fmt: skip
    assert [line["name"][:12] for line in lines] == ["loss, seed 0", "loss, seed 1", "loss"]
    assert [line["showlegend"] for line in lines] == [False, False, True]


def test_a_broken_table_is_named_and_does_not_end_the_page(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root / "table", tmp_path / "table")
    (tmp_path / "table" / "table.json").write_text("[1]")
    words = text_of(write_page(tmp_path, tmp_path / "r.html", title="T").read_text())
    assert "table/table.json cannot be read" in words


def test_a_varied_setting_becomes_lines_after_the_main_table(root: Path, tmp_path: Path) -> None:
    def row(line: str, x: float | None, mean: float) -> Row:
        return Row(name=f"{line} {x}", line=line, x=x, cells={"hits@5": Cell(mean=mean)})

    shutil.copytree(root / "table", tmp_path / "table")
    (tmp_path / "noise").mkdir()
    rows = (row("BM25", None, 0.3), row("LTRGR", 2.0, 0.4), row("LTRGR", 0.0, 0.6))
    varied = ResultTable(title="Noise", metrics=("hits@5",), rows=rows, varied="sigma")
    (tmp_path / "noise" / "table.json").write_text(to_json(varied))
    page = write_page(tmp_path, tmp_path / "r.html", title="T").read_text()
    assert page.index("Main") < page.index("Noise")
    lines = chart(page, "hits@5")["data"]
    assert [(line["name"], line["x"], line["y"]) for line in lines] == [
        ("BM25", [0, 2], [30, 30]),  # dashed, from end to end
        ("LTRGR", [0, 2], [60, 40]),
    ]
    assert [line["line"]["dash"] for line in lines] == ["dash", "solid"]
    assert "All 3 rows" in page
