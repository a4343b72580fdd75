"""The page in headless Chromium, at a desk's and at a telephone's width."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread
from run_folders import BAD, HOSTILE, saying, sweep

from ltrgr.report.page.page import write_page
from ltrgr.report.result_table import Cell, ResultTable, Row, to_json

api = pytest.importorskip(
    "playwright.sync_api", reason="needs playwright: pip install 'ltrgr[browser]'"
)

pytestmark = pytest.mark.slow

DESK, TELEPHONE = 1280, 390
CHROMIUM = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (found := shutil.which(name))
    ),
    None,
)
"""the system's; None: the one that playwright installs"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("runs")
    sweep(root, margins=(0.5, 1.0, 2.0), lambdas=(0.0, 1.0, 2.6), seeds=2)
    (root / "noise").mkdir()
    rows = tuple(Row(name=BAD, line=BAD, x=x, cells={"hits@5": Cell(mean=x)}) for x in (0.0, 1.0))
    table = ResultTable(title="Noise", metrics=("hits@5",), rows=rows, varied="sigma")
    (root / "noise" / "table.json").write_text(to_json(table))
    return write_page(root, root / "report.html", title="Report", samples=99)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with api.sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=CHROMIUM)
        except api.Error as error:
            pytest.skip(
                "needs Chromium: apt-get install chromium, or playwright install chromium: "
                f"{error.message.splitlines()[0]}"
            )
        yield browser
        browser.close()


class Tab:
    """An open page, all that it asked for and complained of."""

    def __init__(self, chromium: Any, page: Path, *, width: int) -> None:
        small = self.small = width < 600
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            has_touch=small,
            is_mobile=small,
            reduced_motion="reduce",
        )
        self.page = context.new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self.page.on(
            "console",
            lambda said: self.complaints.append(said.text) if said.type == "error" else None,
        )
        self.page.goto(page.resolve().as_uri())

    def js(self, expression: str) -> Any:
        return self.page.evaluate(expression)

    def press(self, element: Any) -> None:
        """With the mouse, or with a finger."""
        (element.tap if self.small else element.click)()

    def draw(self) -> None:
        """Draw every chart that can be seen, as a reader does who goes down the page."""
        for plot in self.page.locator(".plot:visible").all():
            plot.scroll_into_view_if_needed()
            plot.locator(".main-svg").first.wait_for(state="attached")


def hovered(tab: Tab, plot: Any, x: float, y: float) -> str:
    """What the chart says at a point of its drawing area, ``x`` and ``y`` in [0, 1]."""
    # In the middle: at the window's upper edge lie the links.
    plot.evaluate("plot => plot.scrollIntoView({block: 'center'})")
    plot.locator(".nsewdrag").first.wait_for(state="attached")
    box = plot.locator(".nsewdrag").first.bounding_box()
    at = (box["x"] + x * box["width"], box["y"] + y * box["height"])
    if tab.small:
        tab.page.touchscreen.tap(*at)
    else:
        tab.page.mouse.move(at[0] - 2, at[1])
        tab.page.mouse.move(*at)
    label = plot.locator(".hoverlayer text").first
    label.wait_for(state="attached")
    return " ".join(plot.locator(".hoverlayer text").all_text_contents())


@pytest.fixture(scope="module")
def desk(chromium: Any, page: Path) -> Tab:
    return Tab(chromium, page, width=DESK)


@pytest.fixture(scope="module")
def telephone(chromium: Any, page: Path) -> Tab:
    return Tab(chromium, page, width=TELEPHONE)


@pytest.fixture(params=["desk", "telephone"])
def tab(request: pytest.FixtureRequest) -> Tab:
    """The page at each width."""
    opened: Tab = request.getfixturevalue(request.param)
    return opened


def test_it_loads_alone_and_in_silence(desk: Tab, page: Path) -> None:
    desk.draw()
    # What a chart is to be downloaded as is made in the browser.
    inside = [url for url in desk.requests if not url.startswith(("data:", "blob:"))]
    assert inside == [page.resolve().as_uri()]
    assert desk.complaints == []
    assert desk.page.title() == "Report"
    kinds = desk.js("[...document.scripts].map(s => s.type)")
    assert kinds.count("") == 2  # what data calls a script is text
    assert set(kinds) == {"", "application/json"}


def test_texts_of_runs_are_shown_as_they_are_in_charts(desk: Tab) -> None:
    plot = desk.page.locator("#tables .plot").first
    plot.scroll_into_view_if_needed()
    assert plot.locator(".legendtext").all_text_contents() == [BAD]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_markup_or_script(chromium: Any, text: str, tmp_path: Path) -> None:
    saying(tmp_path, text)
    page = write_page(tmp_path, tmp_path / "report.html", title=text, samples=9)
    tab = Tab(chromium, page, width=DESK)
    tab.js("document.querySelectorAll('details').forEach(d => d.open = true)")
    tab.draw()
    assert tab.complaints == []
    assert len([url for url in tab.requests if not url.startswith(("data:", "blob:"))]) == 1
    assert tab.page.locator("img, iframe, main a, .plot a, .plot image, .plot b").count() == 0
    assert tab.page.locator("[onerror], [onmouseover], [onfocus], [autofocus]").count() == 0
    shown = re.sub("[\0\x1b\x85\udcff]", "\ufffd", text)
    assert tab.js("document.querySelector('h1').textContent") == shown
    plot = tab.page.locator("#tables .plot").first
    for part in (".legendtext", ".g-xtitle text"):
        (said,) = plot.locator(part).all_text_contents()
        assert "".join(said.split()) == "".join(shown.split())
    assert "".join(shown.split()) in "".join(hovered(tab, plot, 0.5, 0.5).split())


@pytest.mark.parametrize("width", [DESK, TELEPHONE])
def test_nothing_reaches_beyond_the_window(chromium: Any, page: Path, width: int) -> None:
    tab = Tab(chromium, page, width=width)
    tab.js("document.querySelectorAll('details').forEach(d => d.open = true)")
    tab.draw()
    assert tab.js("document.documentElement.scrollWidth") == width
    beyond = tab.js(
        "[...document.querySelectorAll('main *')].filter(e => !e.closest('.scroll, .skip')"
        " && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.className || e.tagName)"
    )
    assert beyond == []
    # A chart fits its frame: only tables and heat maps of many columns scroll.
    wide = tab.js(
        "[...document.querySelectorAll('.chart .scroll')]"
        ".filter(e => e.scrollWidth > e.clientWidth).length"
    )
    assert wide == 0
    pixels = imread(BytesIO(tab.page.screenshot()))
    assert pixels.shape[1] == width
    assert len(np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0)) > 50


def test_a_chart_tells_its_values_and_zooms(tab: Tab) -> None:
    plot = tab.page.locator("#curves .panel.on .plot").first
    # train/loss of both seeds at step 10 is 90 - 10 + seed; 10 is two thirds across.
    said = hovered(tab, plot, 0.66, 0.5)
    assert said.startswith("10 ")
    assert all(words in said for words in (": 80", ": 81", "loss : 80.5"))
    axis = "document.querySelector('#curves .panel.on .plot')._fullLayout.xaxis"
    span = f"(r => r[1] - r[0])({axis}.range)"
    before = tab.js(span)
    tab.press(plot.locator("[data-title='Zoom in']"))
    tab.page.wait_for_function(f"{span} < {0.6 * before}")
    buttons = plot.locator("[data-title]").evaluate_all("all => all.map(e => e.dataset.title)")
    assert buttons == [
        "Download plot as a PNG", "Zoom", "Pan", "Zoom in", "Zoom out", "Reset axes",
    ]  # fmt: skip


def test_a_heat_map_tells_its_cells(tab: Tab) -> None:
    plot = tab.page.locator("#sweeps .plot").first
    said = hovered(tab, plot, 0.85, 0.15)
    assert said == "Stage 2: margin 2, lambda_generation 2.6: 90.0, 2 seeds, stable"
    assert plot.locator(".shapelayer path").count() == 4


def test_a_finger_on_a_chart_scrolls_the_page(telephone: Tab) -> None:
    plot = telephone.page.locator("#curves .plot").first
    plot.scroll_into_view_if_needed()
    plot.locator(".nsewdrag").first.wait_for(state="attached")
    box = plot.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    send = telephone.page.context.new_cdp_session(telephone.page).send
    before = telephone.js("scrollY")
    send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 11):
        touch = {"x": x, "y": y - 15 * step}
        send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [touch]})
    send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    telephone.page.wait_for_function(f"scrollY > {before} + 50")


def column(tab: Tab, table: str, number: int) -> list[str]:
    rows = tab.page.locator(f"{table} tbody tr:visible")
    return rows.evaluate_all(f"rows => rows.map(row => row.cells[{number}].dataset.key)")


MEASURED = "#tables > .scroll table"


def test_a_heading_sorts_by_mouse_and_by_keyboard(tab: Tab) -> None:
    heading = tab.page.locator(f"{MEASURED} thead th").nth(1)
    before = column(tab, MEASURED, 1)
    down = sorted(before, key=float, reverse=True)
    assert before != down
    tab.press(heading.locator("button"))
    assert column(tab, MEASURED, 1) == down
    assert heading.get_attribute("aria-sort") == "descending"
    heading.locator("button").focus()
    tab.page.keyboard.press("Enter")
    assert column(tab, MEASURED, 1) == down[::-1]


def test_a_table_is_filtered_by_words(tab: Tab) -> None:
    box = tab.page.locator("#tables .filter:visible")
    assert len(column(tab, MEASURED, 0)) == 11
    box.fill("LAMBDA_generation 2.6 stage")
    assert sorted(column(tab, MEASURED, 0)) == [
        f"Stage 2: margin {margin}, lambda_generation 2.6" for margin in ("0.5", "1", "2")
    ]
    assert tab.page.locator("#tables output:visible").text_content() == "3 of 11"
    box.fill("")
    assert len(column(tab, MEASURED, 0)) == 11


def test_the_search_finds_questions_by_their_words(tab: Tab) -> None:
    def search(words: str) -> list[str]:
        tab.page.locator("#find").fill(words)
        found: list[str] = tab.page.locator(".example .question:visible").all_text_contents()
        return found

    assert len(search("")) == 2
    assert search("Zebra unrelated") == ["an unrelated zebra"]
    assert len(search("lighthouse")) == 1  # in an identifier
    assert search("no such words") == []
    assert tab.page.locator("#matches").text_content() == "0 of 2"
    assert len(search("")) == 2


def test_a_choice_shows_one_panel(desk: Tab) -> None:
    choice = desk.page.locator("#curves-choice")
    assert choice.locator("option").count() == 9
    choice.select_option("3")
    panels = desk.page.locator("[data-group=curves]")
    assert [panels.nth(i).is_visible() for i in range(9)] == [i == 3 for i in range(9)]
    panels.nth(3).scroll_into_view_if_needed()
    # Its charts are drawn now that they can be seen.
    panels.nth(3).locator(".plot .main-svg").first.wait_for(state="attached")
    choice.select_option("0")


def test_the_theme_follows_the_system_and_the_button(desk: Tab) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    words = "getComputedStyle(document.querySelector('.xtick text')).fill"
    light, light_words = desk.js(paper), desk.js(words)
    desk.page.locator("#theme").click()
    dark, dark_words = desk.js(paper), desk.js(words)
    assert (light, dark) == ("rgb(253, 253, 251)", "rgb(20, 22, 26)")
    assert (light_words, dark_words) == ("rgb(93, 101, 110)", "rgb(154, 162, 171)")
    desk.page.locator("#theme").click()
    assert desk.js(paper) == light
