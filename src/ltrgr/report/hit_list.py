"""Search results in a terminal: the passages, and the identifiers that found them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from ltrgr.report.console import plain, styled
from ltrgr.retrieval.hits import Hit

VIEW_COLOURS = ("cyan", "green", "magenta", "yellow", "blue")


def print_hits(
    question: str, hits: Sequence[Hit], *, console: Console, identifiers: int = 6
) -> None:
    """Print one question's rank list; of each passage the ``identifiers`` heaviest keys."""
    console.rule(plain(question, "bold"))
    if not hits:
        console.print("nothing found")
    for place, hit in enumerate(hits, start=1):
        title = hit.passage.title or hit.passage.id
        found = f"  {hit.score:.1f}  [{hit.passage.id}]"
        console.print(styled((f"{place}. {title}", "bold"), (found, "dim")))
        console.print(plain(hit.passage.text), width=min(console.width, 100))
        console.print(_match(hit, identifiers=identifiers))


def _match(hit: Hit, *, identifiers: int) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="dim")
    for name in ("view", "identifier", "count", "weight", "coverage"):
        table.add_column(name, justify="left" if name in ("view", "identifier") else "right")
    views = list(dict.fromkeys(found.view for found in hit.matches))
    for found in hit.matches[:identifiers]:
        colour = VIEW_COLOURS[views.index(found.view) % len(VIEW_COLOURS)]
        table.add_row(
            plain(found.view, colour),
            plain(found.text),
            str(found.count),
            f"{found.weight:.1f}",
            f"{found.coverage:.2f}",
        )
    if len(hit.matches) > identifiers:
        table.add_row("", plain(f"and {len(hit.matches) - identifiers} more", "dim"))
    return table
