"""The page: sections, style and script in one file that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from ltrgr.disk import write_atomically
from ltrgr.report.page.distributions import distributions
from ltrgr.report.page.example_lists import example_lists
from ltrgr.report.page.groups import comparables
from ltrgr.report.page.heat_maps import heat_maps
from ltrgr.report.page.learning_curves import learning_curves
from ltrgr.report.page.markup import Safe, el, join
from ltrgr.report.page.provenance import provenance
from ltrgr.report.page.result_tables import result_tables, summary
from ltrgr.report.page.runs import Runs

PARTS = {
    "tables": "Results",
    "curves": "Curves",
    "sweeps": "Sweeps",
    "scores": "Scores",
    "examples": "Examples",
    "runs": "Runs",
}
"""section -> its word in the navigation"""


def write_page(root: Path, output: Path, *, title: str, samples: int = 10_000) -> Path:
    """Write the report on the runs below ``root`` as one HTML file and return where.

    Args:
        samples: sign patterns of each randomisation test.

    Raises:
        NoRunsError: nothing was measured there.
    """
    content = page(Runs.load(root), title=title, samples=samples)
    output.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(output, content)
    return output


def page(runs: Runs, *, title: str, samples: int) -> str:
    """The whole document."""
    sets = comparables(runs)
    found = {
        "tables": result_tables(runs, sets, samples=samples),
        "curves": learning_curves(runs, sets),
        "sweeps": heat_maps(runs, sets, samples=samples),
        "scores": distributions(runs, sets),
        "examples": example_lists(runs, sets),
        "runs": provenance(runs),
    }
    links = [el("a", PARTS[key], href=f"#{key}") for key, part in found.items() if part]
    theme = el("button", "Theme", type="button", id="theme", title="light or dark")
    header = el(
        "header",
        el("p", f"ltrgr report, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC", cls="kicker"),
        el("h1", title),
        summary(runs, sets),
    )
    body = [
        el("a", "Skip to the results", href="#tables", cls="skip"),
        el("nav", *links, theme, aria_label="Sections"),
        el("main", header, *found.values()),
    ]
    return _document(title, join(body))


def _document(title: str, body: Safe) -> str:
    style, script = _packaged("page.css"), _packaged("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    # The browser itself then refuses every request and every script but this one.
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=policy),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", title),
        el("style", Safe(style)),
    )
    whole = el("html", head, el("body", body, el("script", Safe(script))), lang="en")
    return f"<!doctype html>\n{whole}\n"


def _packaged(name: str) -> str:
    return (files("ltrgr.report.page") / name).read_text(encoding="utf-8")
