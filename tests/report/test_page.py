"""The page as text: what is on it, that data cannot break it, that it needs nothing else."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from run_folders import BAD, artefact, curve, evaluation, stage_one, stage_two, sweep

from ltrgr.report.page.chart import Series, line_chart, ticks
from ltrgr.report.page.groups import comparables
from ltrgr.report.page.highlight import highlighted, spans
from ltrgr.report.page.markup import VOID
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
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        assert tag in VOID

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def text_of(page: str) -> str:
    visible = re.sub(r"<(style|script|title)>.*?</\1>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", visible))


def test_every_section_is_there_and_every_tag_is_closed(page: str) -> None:
    for key in ("tables", "curves", "sweeps", "scores", "examples", "runs"):
        assert f'<section id="{key}"' in page
    parser = Balanced()
    parser.feed(page)
    assert parser.open == []


def test_data_is_escaped_everywhere(page: str) -> None:
    assert page.count("<script>") == 1  # ours
    assert BAD not in page
    assert page.count("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;") >= 8
    assert "Answer: a &lt;b&gt;" in page


def test_nothing_is_loaded_from_anywhere(page: str) -> None:
    assert not re.search(r"(src|href)=\"(?!#)", page)
    assert not re.search(r"https?://|@import|url\(", page)
    assert "default-src &#x27;none&#x27;; " in page


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
    rows = dict(re.findall(r'<th[^>]*data-key="([^"]*)"[^>]*>.*?</th>(.*?)</tr>', page))
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


def test_margins_are_labelled_in_keys_and_in_scores(page: str) -> None:
    # scores.json says that one key is worth 100.
    assert "<span>2.6 keys</span><small>260</small>" in page
    assert "<span>0.5 keys</span><small>50</small>" in page


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


def test_highlights_carry_view_weight_and_count() -> None:
    found = [{"view": "body", "text": "a<b", "weight": 8.0, "count": 3}]
    assert highlighted("x a<b y", found, ["title", "body"]) == (
        'x <mark class="v1" style="--w:1.00" title="body: weight 8.0, seen 3 times">a&lt;b</mark> y'
    )


def test_a_line_is_drawn_where_its_values_are() -> None:
    svg = line_chart(
        [Series(name="n", points=[(0, 0), (10, 1)], colour=0)], label="L", x_label="x", zero=True
    )
    # The frame is 50 to 408 across; 1 of 1.06 up from 192 to 10.
    assert 'points="50.0,192.0 408.0,20.3"' in svg
    assert ticks(0, 1) == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert ticks(2.3, 7.1) == [3.0, 4.0, 5.0, 6.0, 7.0]


def test_a_broken_table_is_told_and_does_not_end_the_page(root: Path, tmp_path: Path) -> None:
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
    assert re.findall(r"<title>((?:LTRGR|BM25): [^<]*)</title>", page) == [
        "BM25: 0.3 at 2",  # dashed, from end to end
        "LTRGR: 0.4 at 2",
        "LTRGR: 0.6 at 0",
        "LTRGR: 0.4 at 2",
    ]
    assert "All 3 rows" in page
