from __future__ import annotations

from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import example, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from ltrgr.cli.arguments import hydra_arguments, quoted


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


@pytest.mark.parametrize("flag", [["--config-dir", "own"], ["-cd", "own"], ["--config-dir=own"]])
def test_flags_go_first_and_the_extra_directory_is_found(flag: list[str]) -> None:
    assert hydra_arguments(["a=1", *flag, "b=2"]) == (
        [*flag, "a=1", "b=2"],
        ["a=1", "b=2"],
        Path("own"),
    )
