"""Renderers: a result table for the terminal, for Markdown and for LaTeX, and all files at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from io import StringIO
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from ltrgr.disk import write_atomically
from ltrgr.report.console import SafeConsole, plain
from ltrgr.report.png import as_png
from ltrgr.report.result_table import Printed, ResultTable, body, explained, header, to_json
from ltrgr.report.table_figure import table_figure

SUPERSCRIPTS = str.maketrans("abcdefghijklmnoprstuvwxyz", "ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ")
"""letters of significance, so that none reads like a unit; Unicode has no raised q"""


def terminal(table: ResultTable) -> Table:
    """Return the table for ``rich.console.Console().print``."""
    caption = "\n".join(_note(note, table, "{} {}", raised) for note in table.notes)
    rendered = Table(
        title=plain(table.title), caption=plain(caption), box=SIMPLE_HEAD, pad_edge=False
    )
    rendered.title_justify = rendered.caption_justify = "left"
    for name in header(table):
        # No fixed widths: a narrow terminal then folds names and spreads, and cuts no number.
        rendered.add_column(plain(name), overflow="fold")
    columns = [_texts(column) for column in zip(*body(table), strict=True)]
    for row in zip(*columns, strict=True):
        rendered.add_row(*row)
    return rendered


def raised(letters: str) -> str:
    """Return ``letters`` as superscripts.

    >>> raised("ms")
    'ᵐˢ'
    """
    return letters.translate(SUPERSCRIPTS)


def text(table: ResultTable, *, width: int = 120) -> str:
    """Return the terminal's table as plain text of at most ``width`` columns."""
    out = StringIO()
    SafeConsole(file=out, width=width, color_system=None).print(terminal(table))
    return out.getvalue()


def markdown(table: ResultTable) -> str:
    """Return a GitHub-flavoured Markdown table: best in bold, significance as a superscript."""
    names = header(table)
    rule = [":--" if i == 0 or name == "note" else "--:" for i, name in enumerate(names)]
    lines = [_pipes(names), _pipes(rule)]
    lines += [_pipes([_markdown_cell(cell) for cell in row]) for row in body(table)]
    notes = ["\n" + _note(note, table, "<sup>{}</sup> {}") for note in table.notes]
    return "\n".join([f"**{table.title}**\n", *lines, *notes]) + "\n"


def latex(table: ResultTable) -> str:
    """Return a booktabs table environment (needs ``\\usepackage{booktabs}``)."""
    names = header(table)
    columns = "".join("l" if i == 0 or name == "note" else "r" for i, name in enumerate(names))
    rows = [" & ".join(_latex_cell(cell) for cell in row) + r" \\" for row in body(table)]
    notes = (
        _note(note, table, "$^{{{}}}$ {}", words=_latex_escape).rstrip(".") for note in table.notes
    )
    caption = " ".join([f"{_latex_escape(table.title)}.", *(f"{note}." for note in notes)])
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
            rf"\caption{{{caption}}}",
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
        "png": as_png(table_figure(table)),
    }
    paths = {kind: directory / f"{name}.{kind}" for kind in contents}
    for kind, content in contents.items():
        write_atomically(paths[kind], content)
    return paths


def _texts(column: Sequence[Printed]) -> list[Text]:
    """A column's cells: numbers end in one line, whatever spread and letters follow them."""
    numbers = all(cell.value[-1:].isdigit() or cell.value == "-" for cell in column)
    width = max(len(cell.value) for cell in column) if numbers else 0
    spread = max(len(cell.spread) for cell in column)
    texts = []
    for cell in column:
        text = plain(cell.value.rjust(width), "bold" if cell.best else "")
        if spread:
            shown = f" ±{cell.spread.rjust(spread)}" if cell.spread else " " * (spread + 2)
            text.append(shown, style="dim")
        texts.append(text.append(raised(cell.letters), style="green"))
    return texts


def _note(
    note: str,
    table: ResultTable,
    explains: str,
    mark: Callable[[str], str] = str,
    *,
    words: Callable[[str], str] = str,
) -> str:
    letter, rest = explained(note, table)
    return explains.format(mark(letter), words(rest)) if letter else words(note)


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
