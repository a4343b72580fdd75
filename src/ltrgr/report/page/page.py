"""The page: sections, style and scripts in one file that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from ltrgr.disk import write_atomically
from ltrgr.report.page.characters import shown_text
from ltrgr.report.page.chart import TEMPLATE, as_json
from ltrgr.report.page.distributions import distributions
from ltrgr.report.page.example_lists import example_lists
from ltrgr.report.page.groups import LABELS, comparables
from ltrgr.report.page.heat_maps import LEVEL, heat_maps
from ltrgr.report.page.highlight import pieces
from ltrgr.report.page.learning_curves import learning_curves
from ltrgr.report.page.result_tables import result_tables, summary
from ltrgr.report.page.runs import Runs
from ltrgr.report.result_table import body, header

PARTS = {
    "tables": "Results",
    "curves": "Curves",
    "sweeps": "Sweeps",
    "scores": "Scores",
    "examples": "Examples",
    "runs": "Runs",
}
"""section and template -> its word in the navigation"""


def write_page(root: Path, output: Path, *, title: str, samples: int = 10_000) -> Path:
    """Write the report on the runs below ``root`` as one HTML file and return where.

    The same runs give the same file, byte for byte.

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
        "runs": runs,
    }
    return _document(
        title=title,
        newest=max((run.time for run in runs.found), default=""),
        summary=summary(runs, sets),
        damaged=runs.damaged,
        parts={key: part for key, part in found.items() if part is not None},
    )


def _document(**content: Any) -> str:
    """The templates, filled; text is escaped in all of them."""
    environment = Environment(
        loader=PackageLoader("ltrgr.report.page"),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(header=header, body=body, pieces=pieces, as_json=as_json)
    environment.globals.update(systems=list(LABELS.values()), level=LEVEL)
    scripts = [get_plotlyjs(), _packaged("page.js")]
    # The browser itself then refuses every request and every script but these.
    hashes = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    return environment.get_template("page.html").render(
        **content,
        names=PARTS,
        policy=f"default-src 'none'; style-src 'unsafe-inline'; script-src {hashes}; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'",
        style=Markup(_packaged("page.css")),
        scripts=[Markup(script) for script in scripts],
        template=TEMPLATE,
    )


def _shown(value: Any) -> Any:
    return shown_text(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _packaged(name: str) -> str:
    return (files("ltrgr.report.page") / name).read_text(encoding="utf-8")
