"""Parts that several sections use: panels behind a choice, sortable tables, notes."""

from __future__ import annotations

from collections.abc import Sequence

from ltrgr.report.page.markup import Safe, el, join


def section(key: str, title: str, *children: object, lead: object = "") -> Safe:
    """A part of the page with its heading and one line that says what is seen."""
    head = [el("h2", title, id=f"{key}-title"), el("p", lead, cls="lead") if lead else ""]
    return el("section", *head, *children, id=key, aria_labelledby=f"{key}-title")


def note(*words: object) -> Safe:
    """A remark about what is not there."""
    return el("p", *words, cls="note")


def code(words: str) -> Safe:
    """A command or a name."""
    return el("code", words)


def panels(key: str, label: str, found: Sequence[tuple[str, object]]) -> Safe:
    """One of several panels at a time; all of them without JavaScript."""
    if len(found) == 1:
        name, content = found[0]
        return join([el("p", name, cls="only") if name else "", content])
    options = [el("option", name, value=i) for i, (name, _) in enumerate(found)]
    chooser = el("select", *options, id=f"{key}-choice", data_panels=key)
    bodies = [
        el(
            "div",
            el("h3", name, cls="panel-name"),
            content,
            cls="panel on" if i == 0 else "panel",
            data_group=key,
        )
        for i, (name, content) in enumerate(found)
    ]
    picked = el("p", el("label", label, for_=f"{key}-choice"), " ", chooser, cls="choice")
    return join([picked, *bodies])


def table(
    head: Sequence[object],
    rows: Sequence[Sequence[Safe]],
    *,
    caption: str = "",
    words: int = 1,
) -> Safe:
    """A table that a click on a heading sorts; the first ``words`` columns are text."""
    cells = [
        el("th", el("button", name, type="button"), scope="col", cls="word" if i < words else None)
        for i, name in enumerate(head)
    ]
    body = [el("tr", *row) for row in rows]
    grid = el("table", el("thead", el("tr", *cells)), el("tbody", *body), cls="sortable")
    # The caption stands outside what scrolls, so that a narrow screen does not cut it.
    above = el("p", caption, cls="caption") if caption else ""
    name = str(caption) or "table"
    scrolled = el("div", grid, cls="scroll", tabindex="0", role="region", aria_label=name)
    return join([above, scrolled])


def cell(
    content: object, *, key: object = None, head: bool = False, cls: str | None = None
) -> Safe:
    """A table cell; ``key`` is what it sorts by where that is not its text."""
    name, scope = ("th", "row") if head else ("td", None)
    return el(name, content, cls=cls, scope=scope, data_key=key)
