"""What a user's text may hold reaches no terminal, whoever prints it."""

from __future__ import annotations

import ast
import io
import logging
import subprocess
import sys
from pathlib import Path

import pytest

import ltrgr
from ltrgr.pipeline.progress import bar
from ltrgr.report.console import SafeConsole, plain, styled
from ltrgr.terminal import SafeFormatter, make_streams_safe, one_line, print_traceback, visible

HOUSE = Path(ltrgr.__file__).parent


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("a title", "a title"),
        ("\x1b]0;renamed\x07", r"\x1b]0;renamed\x07"),
        ("\x9b31m", r"\x9b31m"),  # C1: CSI in one character
        ("50 %\r60 %", r"50 %\r60 %"),
        ("two\r\nlines\tand tab", "two\nlines\tand tab"),
        ("abc\u202etxt.exe", r"abc\u202etxt.exe"),
        (b"caf\xe9".decode(errors="surrogateescape"), r"caf\udce9"),
        ("\x7f", r"\x7f"),
        ("naïve 日本 שלום 👩\u200d🔬 [/INST]", "naïve 日本 שלום 👩\u200d🔬 [/INST]"),
    ],
)
def test_control_characters_are_shown(given: str, shown: str) -> None:
    assert visible(given) == shown


def test_one_line_has_one_line() -> None:
    assert one_line(" a\n\tb\x1b ") == r"a b\x1b"


def test_a_console_of_ours_reads_no_markup_wherever_a_text_stands() -> None:
    from rich.table import Table

    out = io.StringIO()
    console = SafeConsole(file=out, width=60, color_system="standard", force_terminal=True)
    console.print("[/INST] [bold]x[/] :smile: \x1b[2J", highlight=False)
    table = Table(title="[t]\x1b", caption="[/c]", box=None)
    table.add_column("[h]")
    table.add_row("[red]1[/]\x1b[2J")
    console.print(table, highlight=False)
    console.print(styled("[a]", ("[/b]\x9b", "bold")), plain("[/]", "red"))
    shown = out.getvalue()
    for text in (r"[/INST] [bold]x[/] :smile: \x1b[2J", r"[t]\x1b", "[/c]", "[h]"):
        assert text in shown
    for text in (r"[red]1[/]\x1b[2J", "[a]", r"[/b]\x9b"):
        assert text in shown
    assert "\x1b[2J" not in shown
    assert "\x9b" not in shown


def test_log_records_and_their_tracebacks_are_made_visible() -> None:
    try:
        raise ValueError("\x1b[31mred")
    except ValueError:
        record = logging.LogRecord("x", 30, "f", 1, "of %s", ("\x1b[2J",), sys.exc_info())
    shown = SafeFormatter().format(record)
    assert shown.startswith("of \\x1b[2J\nTraceback")
    assert shown.endswith("ValueError: \\x1b[31mred")


def test_a_traceback_is_made_visible(capsys: pytest.CaptureFixture[str]) -> None:
    print_traceback(ValueError("\x1b[31mred"))
    assert capsys.readouterr().err == "ValueError: \\x1b[31mred\n"


def test_a_bars_description_is_made_visible(capsys: pytest.CaptureFixture[str]) -> None:
    with bar(total=1, description="stage 2: \x1b[31m[x]\nnext", unit=" steps", shown=True) as shown:
        shown.update(1)
    assert "stage 2: \\x1b[31m[x] next: 100%" in capsys.readouterr().err


def test_what_the_encoding_lacks_ends_in_no_traceback() -> None:
    code = f"from ltrgr.terminal import {make_streams_safe.__name__} as safe; safe(); print('±')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=True,
        env={"PYTHONIOENCODING": "ascii", "PYTHONPATH": str(HOUSE.parent)},
    )
    assert done.stdout == b"\\xb1\n"


def test_everything_that_is_printed_passes_here() -> None:
    """Nobody else writes to a stream, builds rich's own texts or consoles, or sets up a bar."""
    sinks = [
        (path.relative_to(HOUSE).as_posix(), ast.unparse(node))
        for path in sorted(HOUSE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and _is_sink(node)
    ]
    assert sinks == [
        ("cli/completion.py", "print(visible((' ' if shell != 'fish' else '\\n')"
         ".join(candidates(line, commands))))"),
        ("cli/completion.py",
         "print(visible(_hydra_candidates(shell, conf=conf, command=command)))"),
        ("cli/main.py", "print(usage())"),
        ("cli/main.py", "print(f\"ltrgr {version('ltrgr')}\")"),
        ("pipeline/progress.py", "tqdm(total=total, initial=done, desc=one_line(description), "
         "unit=unit, disable=not shown, dynamic_ncols=True, position=position or None, "
         "leave=position == 0, mininterval=0.2 if sys.stderr.isatty() else 10.0)"),
        ("report/console.py", "Text(visible(text), style=style)"),
        ("retrieval/bm25.py", "track(texts, description='BM25', disable=not progress)"),
        ("terminal.py", "print(visible(text), file=sys.stderr, flush=True)"),
    ]  # fmt: skip


def _is_sink(node: ast.Call) -> bool:
    names = {"print", "Console", "Text", "tqdm", "track", "Panel", "Progress"}
    methods = {"from_markup", "print_exception", "print_exc", "showwarning"}
    streams = {"stdout.write", "stderr.write"}
    match node.func:
        case ast.Name(id=name):
            return name in names
        case ast.Attribute(attr=name):
            return name in methods or ".".join(_dotted(node.func)[-2:]) in streams
    return False


def _dotted(node: ast.expr) -> list[str]:
    return ast.unparse(node).split(".")


def test_nobody_hands_a_string_with_styles_to_a_console() -> None:
    """``"[bold]...[/]"`` would now be printed as it stands."""
    found = [
        (path.name, node.value)
        for path in (HOUSE / "cli", HOUSE / "report")
        for file in path.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and any(mark in node.value for mark in ("[bold]", "[dim]", "[yellow]", "[/]"))
    ]
    assert found == []
