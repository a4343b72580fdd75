"""Example questions: their rank lists before and after stage 2, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ltrgr.report.page.distributions import missing
from ltrgr.report.page.groups import Comparable, Group
from ltrgr.report.page.highlight import colour, highlighted
from ltrgr.report.page.markup import Safe, el, join
from ltrgr.report.page.runs import Run, Runs
from ltrgr.report.page.widgets import panels, section

SYSTEMS = 3
"""stage-2 systems whose examples are shown: the best of each stage-1 model"""
PLACES = 3
"""passages open at first; the rest of the list is one key away"""
IDENTIFIERS = 8

Stored = Mapping[str, Any]


def example_lists(runs: Runs, sets: Sequence[Comparable]) -> Safe:
    """The section of examples."""
    ranked = sorted(
        (group for one in sets[:1] for group in one.ranked), key=lambda g: -g.mean("mrr@10")
    )
    if not ranked:
        return Safe("")
    have = [(group, run) for group in ranked if (run := _with_examples(group))]
    found: list[tuple[str, object]] = []
    starts: set[str] = set()
    for group, run in have:
        before = runs.before(run)
        start = before.name if before else ""
        if start in starts or len(found) == SYSTEMS:
            continue
        starts.add(start)
        found.append((group.apart or group.label, _system(run, before)))
    parts: list[object] = [panels("examples", "System", found)] if found else []
    if len(have) < len(ranked):
        parts.append(missing(len(ranked) - len(have), "examples.json"))
    return section(
        "examples",
        "Example questions",
        _controls() if found else "",
        *parts,
        lead="The top of each rank list, before and after stage 2. Marked in the text: the "
        "identifiers that found the passage, in their view's colour; a weight is w(n, q)^a before "
        "coverage, a count is occurrences in the corpus.",
    )


def _with_examples(group: Group) -> Run | None:
    return next((run for run in group.runs if (run.directory / "examples.json").is_file()), None)


def _controls() -> Safe:
    search = el(
        "input", id="find", type="search", placeholder="words of a question, title or identifier",
        autocomplete="off",
    )  # fmt: skip
    kinds = ("all", "better", "worse", "same")
    options = [el("option", kind, value=kind) for kind in kinds]
    return el(
        "p",
        el("label", "Search ", for_="find"), search, " ",
        el("label", "First relevant place ", for_="moved"), el("select", *options, id="moved"), " ",
        el("output", "", id="matches", aria_live="polite"),
        cls="choice",
    )  # fmt: skip


def _system(after: Run, before: Run | None) -> Safe:
    now: Stored = after.read("examples.json")
    then: Stored = (before.read("examples.json") if before else None) or {"questions": []}
    earlier = {question["id"]: question for question in then["questions"]}
    views = _views([*now["questions"], *earlier.values()])
    legend = [el("li", el("mark", view, cls=f"v{i % 6}")) for i, view in enumerate(views)]
    cards = [
        _question(question, earlier.get(question["id"]), now, then, views)
        for question in now["questions"]
    ]
    return join([el("ul", *legend, cls="legend views"), *cards])


def _views(questions: Sequence[Mapping[str, Any]]) -> list[str]:
    found = (by["view"] for q in questions for hit in q["hits"] for by in hit["matches"])
    order = {"title": 0, "body": 1, "query": 2, "docid": 3}
    return sorted(dict.fromkeys(found), key=lambda view: (order.get(view, 9), view))


def _question(
    now: Mapping[str, Any],
    then: Mapping[str, Any] | None,
    after: Stored,
    before: Stored,
    views: Sequence[str],
) -> Safe:
    place, old = now["first_relevant"], then["first_relevant"] if then else None
    moved = _moved(old, place) if then else "same"
    arrow = f"{_place(old)} → {_place(place)}" if then else _place(place)
    badge = el("span", arrow, cls=f"badge {moved}", title="place of the first relevant passage")
    answers = f"Answer: {', '.join(now['answers'])}" if now["answers"] else ""
    columns = [_list("Before stage 2", then, before, views)] if then else []
    columns.append(_list("After stage 2", now, after, views))
    head = el("summary", el("span", now["text"], cls="question"), " ", badge)
    return el(
        "details",
        head,
        el("p", answers, cls="below") if answers else "",
        el("div", *columns, cls="sides"),
        cls="example",
        data_moved=moved,
    )


def _moved(old: int | None, new: int | None) -> str:
    """Better, worse or same; not found counts as last."""
    last = float("inf")
    difference = (old or last, new or last)
    if difference[0] == difference[1]:
        return "same"
    return "better" if difference[1] < difference[0] else "worse"


def _place(place: int | None) -> str:
    return f"place {place}" if place else "not found"


def _list(name: str, question: Mapping[str, Any], stored: Stored, views: Sequence[str]) -> Safe:
    hits = [_hit(hit, stored["passages"][hit["id"]], views) for hit in question["hits"]]
    first, rest = hits[:PLACES], hits[PLACES:]
    more = el("details", el("summary", f"{len(rest)} more"), *rest, cls="more") if rest else ""
    found = first or [el("p", "nothing found", cls="below")]
    return el("div", el("h4", name), *found, more)


def _hit(hit: Mapping[str, Any], passage: Mapping[str, str], views: Sequence[str]) -> Safe:
    found = hit["matches"]
    relevant = el("span", "relevant", cls="relevant") if hit["relevant"] else ""
    own = [by for by in found if by["view"] == "title"]
    rest = [by for by in found if by["view"] != "title"]
    head = el(
        "p",
        el("span", f"{hit['rank']}.", cls="rank"), " ",
        el("strong", highlighted(passage["title"] or hit["id"], own, views)), " ",
        relevant, " ",
        el("span", f"{hit['score']:.1f}", cls="score", title="score"),
        cls="hit-head",
    )  # fmt: skip
    keys = [_key(by, views) for by in found[:IDENTIFIERS]]
    left = hit["identifiers"] - len(keys)
    keys += [el("li", f"and {left} more", cls="left")] if left > 0 else []
    body = el("p", highlighted(passage["text"], rest, views), cls="passage")
    return el(
        "article", head, body, el("ul", *keys, cls="keys"),
        cls="hit right" if hit["relevant"] else "hit",
    )  # fmt: skip


def _key(by: Mapping[str, Any], views: Sequence[str]) -> Safe:
    worth = f"{by['weight']:.0f} · {by['count']}×"  # noqa: RUF001
    title = (
        f"{by['view']}: weight {by['weight']}, seen {by['count']} times, coverage {by['coverage']}"
    )
    name = el("mark", by["text"], cls=colour(by["view"], views))
    return el("li", name, " ", el("small", worth), title=title)
