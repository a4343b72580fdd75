"""The page in headless Chromium, at a desk's and at a telephone's width."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from browser import CHROMIUM, Browser
from matplotlib.image import imread
from run_folders import sweep

from ltrgr.report.page.page import write_page

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="needs Chromium: apt-get install chromium (Debian)"
)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("runs")
    sweep(root, margins=(0.5, 1.0, 2.0), lambdas=(0.0, 1.0, 2.6), seeds=2)
    return write_page(root, root / "report.html", title="Report", samples=99)


@pytest.fixture(scope="module")
def browser(page: Path) -> Iterator[Browser]:
    opened = Browser(width=1280)
    opened.open(page)
    yield opened
    opened.close()


def test_it_loads_alone_and_in_silence(browser: Browser, page: Path) -> None:
    assert browser.requests == [page.resolve().as_uri()]
    assert browser.complaints == []
    assert browser.js("document.title") == "Report"
    assert browser.js("document.scripts.length") == 1  # what data calls a script is text


@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_reaches_beyond_the_window(browser: Browser, width: int) -> None:
    browser.resize(width, 900)
    browser.js("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert browser.js("document.documentElement.scrollWidth") == width
    beyond = browser.js(
        "[...document.querySelectorAll('main *')].filter(e => !e.closest('.scroll, svg, .unseen')"
        " && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.className || e.tagName)"
    )
    assert beyond == []
    pixels = imread(BytesIO(browser.screenshot()))
    assert pixels.shape[1] == width
    assert len(np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0)) > 50


def column(browser: Browser, number: int) -> list[float]:
    found = browser.js(
        "[...document.querySelector('table.sortable').tBodies[0].rows]"
        f".map(row => parseFloat(row.cells[{number}].dataset.key))"
    )
    return [float(value) for value in found]


def test_a_heading_sorts_by_mouse_and_by_keyboard(browser: Browser) -> None:
    heading = "document.querySelector('table.sortable').tHead.rows[0].cells[1]"
    before = column(browser, 1)
    assert before != sorted(before, reverse=True)
    browser.js(f"{heading}.querySelector('button').click()")
    assert column(browser, 1) == sorted(before, reverse=True)
    assert browser.js(f"{heading}.getAttribute('aria-sort')") == "descending"
    browser.js(f"{heading}.querySelector('button').focus()")
    browser.press("Enter", 13, "\r")
    assert column(browser, 1) == sorted(before)


def shown(browser: Browser, what: str) -> list[str]:
    found: list[str] = browser.js(
        f"[...document.querySelectorAll('{what}')].filter(e => e.checkVisibility())"
        ".map(e => e.textContent)"
    )
    return found


def test_the_search_finds_questions_by_their_words(browser: Browser) -> None:
    def search(words: str) -> list[str]:
        browser.js(
            f"document.getElementById('find').value = '{words}';"
            "document.getElementById('find').dispatchEvent(new Event('input'))"
        )
        return shown(browser, ".example .question")

    assert len(search("")) == 2
    assert search("Zebra unrelated") == ["an unrelated zebra"]
    assert len(search("lighthouse")) == 1  # in an identifier
    assert search("no such words") == []
    assert shown(browser, "#matches") == ["0 of 2"]
    assert len(search("")) == 2


def test_a_choice_shows_one_panel(browser: Browser) -> None:
    select = "document.getElementById('curves-choice')"
    assert browser.js(f"{select}.options.length") == 9
    browser.js(f"{select}.value = '3'; {select}.dispatchEvent(new Event('change'))")
    panels = "[...document.querySelectorAll('[data-group=curves]')]"
    assert browser.js(f"{panels}.findIndex(p => p.checkVisibility())") == 3
    assert browser.js(f"{panels}.filter(p => p.checkVisibility()).length") == 1


def test_the_theme_follows_the_system_and_the_button(browser: Browser) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    light = browser.js(paper)
    browser.js("document.getElementById('theme').click()")
    dark = browser.js(paper)
    assert (light, dark) == ("rgb(253, 253, 251)", "rgb(20, 22, 26)")
    browser.js("document.getElementById('theme').click()")
    assert browser.js(paper) == light
