"""Text of the user's for rich: made visible, and never read as markup such as ``[/INST]``."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from ltrgr.terminal import visible


def plain(text: object, style: str = "") -> Text:
    """``text`` for rich, in one style."""
    return Text(visible(text), style=style)


def styled(*parts: str | tuple[object, str]) -> Text:
    """Parts after one another; a pair is a text and its style."""
    texts = [plain(part) if isinstance(part, str) else plain(*part) for part in parts]
    return Text.assemble(*texts)


class SafeConsole(Console):
    """A console on which every ``str`` is the user's, those in tables and headings included."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(markup=False, emoji=False, **settings)

    def render_str(self, text: str, **settings: Any) -> Text:  # type: ignore[override]
        """As the base class does, of what is safe."""
        return super().render_str(visible(text), **settings)
