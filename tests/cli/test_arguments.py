from __future__ import annotations

from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import example, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from ltrgr.cli.arguments import hydra_arguments, quoted, search_arguments


def read_back(override: str) -> list[str]:
    """Parse as Hydra does, then resolve as OmegaConf does."""
    parsed = OverridesParser.create().parse_override(override)
    container = OmegaConf.to_container(OmegaConf.create({"q": parsed.value()}), resolve=True)
    assert isinstance(container, dict)
    return list(container["q"])


@example(["???"])
@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.text(alphabet="ab \\\"'${}[](),=:?é#~+-%日", min_size=1, max_size=12), min_size=1)
)
def test_any_question_survives_the_override_grammar(texts: list[str]) -> None:
    questions = [" ".join(text.split()) for text in texts]
    override = f"questions=[{','.join(quoted(question) for question in questions)}]"
    # OmegaConf takes a bare "???" for a missing value: it travels with a space, which is stripped.
    assert [question.strip() for question in read_back(override)] == questions


def test_questions_are_bare_words_that_are_no_override_and_no_flag() -> None:
    arguments = ["is 2 + 2 = 4?", "k=3", "-m", "+new.key=1", "~corpus", "model@x=tiny", "why"]
    rewritten = search_arguments(arguments)
    assert rewritten[:-1] == ["-m", "k=3", "+new.key=1", "~corpus", "model@x=tiny"]
    assert rewritten[-1] == 'questions=["is 2 + 2 = 4?","why"]'


def test_text_with_spaces_is_a_question_even_around_an_equals_sign() -> None:
    arguments = ["a=b, c [d] {e}", "k=5 best?", "table.only=[LTRGR on SEAL]", "k=5"]
    assert search_arguments(arguments) == [
        "table.only=[LTRGR on SEAL]",
        "k=5",
        'questions=["a=b, c [d] {e}","k=5 best?"]',
    ]


def test_values_of_flags_are_no_questions() -> None:
    arguments = ["--config-dir", "own", "--cfg", "job", "--info", "defaults", "why"]
    assert search_arguments(arguments) == [*arguments[:-1], 'questions=["why"]']
    assert search_arguments(["k=3"]) == ["k=3"]


@pytest.mark.parametrize("flag", [["--config-dir", "own"], ["-cd", "own"], ["--config-dir=own"]])
def test_flags_go_first_and_the_extra_directory_is_found(flag: list[str]) -> None:
    assert hydra_arguments(["a=1", *flag, "b=2"]) == (
        [*flag, "a=1", "b=2"],
        ["a=1", "b=2"],
        Path("own"),
    )
