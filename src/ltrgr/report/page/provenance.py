"""Where every figure comes from: the run folders."""

from __future__ import annotations

from ltrgr.report.page.markup import Safe, el, join
from ltrgr.report.page.runs import Run, Runs
from ltrgr.report.page.widgets import cell, section, table


def provenance(runs: Runs) -> Safe:
    """The section of artefacts, newest first."""
    found = sorted(runs.found, key=lambda run: str(run.environment.get("time", "")), reverse=True)
    head = ("stage", "folder", "made from", "command", "time (UTC)", "commit", "seconds")
    grid = table(head, [_row(runs, run) for run in found], words=6)
    summary = el("summary", f"{len(found)} finished run folders")
    return section(
        "runs",
        "Runs",
        el("details", summary, grid),
        lead="Each folder is named by the fingerprint of everything that went into it.",
    )


def _row(runs: Runs, run: Run) -> list[Safe]:
    parent = runs.parent(run)
    git = run.environment.get("git") or {}
    changed = " + changes" if git.get("dirty") else ""
    command = run.environment.get("command") or []
    words = command if isinstance(command, str) else " ".join(map(str, command))
    time = str(run.environment.get("time", ""))[:19].replace("T", " ")
    return [
        cell(run.stage, cls="word"),
        cell(el("code", run.name), cls="word"),
        cell(el("code", parent.name) if parent else "-", cls="word"),
        cell(el("code", words), cls="word command"),
        cell(time, cls="word"),
        cell(join([el("code", str(git.get("commit") or "-")[:8]), changed]), cls="word"),
        cell(f"{run.seconds:.0f}", key=run.seconds),
    ]
