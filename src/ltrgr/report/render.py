"""Renderers: a result table for the terminal, for Markdown and for LaTeX, and all files at once."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ltrgr.pipeline.artefact import write_atomically
from ltrgr.report.picture import picture
from ltrgr.report.table import Printed, ResultTable, body, header, to_json


def terminal(table: ResultTable) -> Table:
    """Return the table for ``rich.console.Console().print``."""
    caption = "\n".join(table.notes)
    rendered = Table(title=table.title, caption=caption, box=SIMPLE_HEAD, pad_edge=False)
    rendered.title_justify = rendered.caption_justify = "left"
    for i, name in enumerate(header(table)):
        words = i == 0 or name == "note"
        # No fixed widths: a narrow terminal then folds names and spreads, and cuts no number.
        rendered.add_column(name, justify="left" if words else "right", overflow="fold")
    for row in body(table):
        rendered.add_row(*(_text(cell) for cell in row))
    return rendered


def text(table: ResultTable, *, width: int = 120) -> str:
    """Return the terminal's table as plain text of at most ``width`` columns."""
    out = StringIO()
    Console(file=out, width=width, color_system=None).print(terminal(table))
    return out.getvalue()


def markdown(table: ResultTable) -> str:
    """Return a GitHub-flavoured Markdown table: best in bold, significance as a superscript."""
    names = header(table)
    rule = [":--" if i == 0 or name == "note" else "--:" for i, name in enumerate(names)]
    lines = [_pipes(names), _pipes(rule)]
    lines += [_pipes([_markdown_cell(cell) for cell in row]) for row in body(table)]
    notes = [f"\n{note}" for note in table.notes]
    return "\n".join([f"**{table.title}**\n", *lines, *notes]) + "\n"


def latex(table: ResultTable) -> str:
    """Return a booktabs table environment (needs ``\\usepackage{booktabs}``)."""
    names = header(table)
    columns = "".join("l" if i == 0 or name == "note" else "r" for i, name in enumerate(names))
    rows = [" & ".join(_latex_cell(cell) for cell in row) + r" \\" for row in body(table)]
    caption = " ".join([f"{table.title}.", *table.notes])
    return "\n".join(
        [
            r"\begin{table}[t]",
            r"\centering",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            " & ".join(_latex_escape(name) for name in names) + r" \\",
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
            rf"\caption{{{_latex_escape(caption)}}}",
            r"\end{table}",
            "",
        ]
    )


def write_all(table: ResultTable, directory: Path, *, name: str = "table") -> dict[str, Path]:
    """Write ``<name>.md``, ``.tex``, ``.json`` and ``.png``, each atomically; return the paths."""
    directory.mkdir(parents=True, exist_ok=True)
    contents: dict[str, str | bytes] = {
        "md": markdown(table),
        "tex": latex(table),
        "json": to_json(table),
        "png": picture(table),
    }
    paths = {kind: directory / f"{name}.{kind}" for kind in contents}
    for kind, content in contents.items():
        write_atomically(paths[kind], content)
    return paths


def _text(cell: Printed) -> Text:
    rendered = Text(cell.value, style="bold" if cell.best else "")
    rendered.append(f" ±{cell.spread}" if cell.spread else "", style="dim")
    return rendered.append(f" {cell.letters}" if cell.letters else "", style="green")


def _pipes(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _markdown_cell(cell: Printed) -> str:
    value = cell.value.replace("|", "\\|")
    value = f"**{value}**" if cell.best else value
    spread = f" ± {cell.spread}" if cell.spread else ""
    return f"{value}{spread}" + (f" <sup>{cell.letters}</sup>" if cell.letters else "")


def _latex_cell(cell: Printed) -> str:
    value = "--" if cell.value == "-" else _latex_escape(cell.value)
    value = rf"\textbf{{{value}}}" if cell.best else value
    spread = rf"\,$\pm$\,{cell.spread}" if cell.spread else ""
    return f"{value}{spread}" + (rf"$^{{{cell.letters}}}$" if cell.letters else "")


LATEX = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"$<$",
    ">": r"$>$",
    "±": r"$\pm$",
    "λ": r"$\lambda$",
}


def _latex_escape(words: str) -> str:
    return re.sub(r"[&%$#_{}\\~^<>±λ]", lambda match: LATEX[match.group()], words)
