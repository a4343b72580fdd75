"""HTML that cannot be broken by data: text is escaped unless this module made it."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

VOID = {"br", "input", "meta", "col", "line", "path", "rect", "circle", "polyline"}


class Safe(str):
    """Markup made here; anything else is text."""

    __slots__ = ()


def text(content: object) -> Safe:
    """``content`` as escaped text; ``Safe`` stays as it is.

    >>> text("<b>"), text(Safe("<b>"))
    ('&lt;b&gt;', '<b>')
    """
    return content if isinstance(content, Safe) else Safe(escape(str(content), quote=True))


def el(tag: str, *children: object, **attributes: object) -> Safe:
    """An element. Attributes: ``cls`` is class, ``_`` is ``-``; None and False are left out.

    >>> el("td", "a < b", cls="x", data_key='"1"', hidden=True)
    '<td class="x" data-key="&quot;1&quot;" hidden>a &lt; b</td>'
    """
    opening = "".join([tag, *(_attribute(key, value) for key, value in attributes.items())])
    if tag in VOID and not children:
        return Safe(f"<{opening}/>")
    return Safe(f"<{opening}>{join(children)}</{tag}>")


def join(children: Iterable[object]) -> Safe:
    """The children one after the other."""
    return Safe("".join(text(child) for child in children))


def _attribute(key: str, value: object) -> str:
    if value is None or value is False:
        return ""
    name = "class" if key == "cls" else key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{text(value)}"'
