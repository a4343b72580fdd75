"""Example questions: their rank lists before and after stage 2, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ltrgr.report.page.groups import Comparable, best_first
from ltrgr.report.page.runs import Run, Runs

SYSTEMS = 3
"""stage-2 systems whose examples are shown: the best of each stage-1 model"""
VIEWS = ("title", "body", "query", "docid")
"""their order, and so their colours"""

Stored = Mapping[str, Any]
"""``examples.json``, or a part of it"""


def example_lists(runs: Runs, sets: Sequence[Comparable]) -> dict[str, Any] | None:
    """The section of examples: systems, and how many were measured without examples."""
    ranked = best_first(sets[0].ranked if sets else ())
    found: dict[str, tuple[str, Any]] = {}
    lacking = 0
    for group in ranked:
        run = next((run for run in group.runs if run.has("examples.json")), None)
        if run is None:
            lacking += 1
            continue
        before = runs.before(run)
        start = before.name if before else ""
        if start not in found and len(found) < SYSTEMS:
            found[start] = (group.apart or group.label, _system(run, before))
    return {"systems": list(found.values()), "lacking": lacking} if ranked else None


def _system(after: Run, before: Run | None) -> dict[str, Any]:
    """The views of a system's identifiers, and each question with its rank lists."""
    now: Stored = after.read("examples.json")
    then: Stored = (before.read("examples.json") if before else None) or {"questions": []}
    earlier = {question["id"]: question for question in then["questions"]}
    questions = [
        _question(one, earlier.get(one["id"]), now["passages"], then.get("passages", {}))
        for one in now["questions"]
    ]
    return {"views": _views([*now["questions"], *earlier.values()]), "questions": questions}


def _views(questions: Iterable[Stored]) -> list[str]:
    found = {by["view"] for q in questions for hit in q["hits"] for by in hit["matches"]}
    return sorted(found, key=lambda v: (VIEWS.index(v) if v in VIEWS else len(VIEWS), v))


def _question(now: Stored, then: Stored | None, after: Stored, before: Stored) -> dict[str, Any]:
    """The question, where its first relevant passage went, and its lists with their passages."""
    new, old = now["first_relevant"], then["first_relevant"] if then else None
    places = [_place(old), _place(new)] if then else [_place(new)]
    lists = [("Before stage 2", then["hits"], before)] if then else []
    return {
        "asked": now,
        "places": " → ".join(places),
        "moved": _moved(old, new) if then else "same",
        "lists": [*lists, ("After stage 2", now["hits"], after)],
    }


def _moved(old: int | None, new: int | None) -> str:
    """Better, worse or same; not found counts as last."""
    last = float("inf")
    before, after = old or last, new or last
    if before == after:
        return "same"
    return "better" if after < before else "worse"


def _place(place: int | None) -> str:
    return f"place {place}" if place else "not found"
