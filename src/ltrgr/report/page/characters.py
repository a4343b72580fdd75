"""Characters that a page cannot show."""

from __future__ import annotations

import re

UNSHOWN = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""Control characters but white space, single halves of surrogate pairs, non-characters."""


def shown_text(text: str) -> str:
    r"""The text with a replacement character for each that cannot be shown or encoded.

    >>> shown_text("tab\t and \x1b[31m") == "tab\t and \ufffd[31m"
    True
    """
    return UNSHOWN.sub("\ufffd", text)
