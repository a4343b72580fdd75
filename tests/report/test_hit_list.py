"""Search results show a passage's text as it is."""

import io

import pytest
from rich.console import Console

from ltrgr.corpus.records import Passage
from ltrgr.report.console import SafeConsole
from ltrgr.report.hit_list import print_hits
from ltrgr.retrieval.hits import Hit, IdentifierMatch


@pytest.mark.parametrize("make", [Console, SafeConsole])
def test_no_title_text_identifier_or_question_is_obeyed(make: type[Console]) -> None:
    passage = Passage(id="[/p]\x1b", title="[bold]T[/] \x1b]0;x\x07", text="[/INST] \x1b[2J text")
    found = IdentifierMatch(view="[v]", text="[/k]\x9b", count=3, weight=1.5, coverage=0.5)
    out = io.StringIO()
    console = make(file=out, width=80)
    print_hits(
        "what is [/INST] \x1b[2J?",
        [Hit(passage=passage, score=2.0, matches=(found,))],
        console=console,
    )
    shown = out.getvalue()
    for text in (
        r"what is [/INST] \x1b[2J?",
        r"1. [bold]T[/] \x1b]0;x\x07  2.0  [[/p]\x1b]",
        r"[/INST] \x1b[2J text",
        r"[v]   [/k]\x9b",
    ):
        assert text in shown
    assert not {"\x1b", "\x07", "\x9b"} & set(shown)
