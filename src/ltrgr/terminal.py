"""Text of the user's in a terminal: shown as it is, never obeyed.

A title, a question or a path may hold escape sequences, which would colour or rename the terminal,
or overwrite what stands there. Everything printed passes here or through ``report.console``.
"""

from __future__ import annotations

import io
import logging
import re
import sys
import traceback

UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters (C0 without tab and line feed, DEL, C1), separators and overrides of the
direction of writing, and surrogates, which no encoding can write."""


def visible(text: object) -> str:
    r"""``str(text)`` with each character that a terminal would obey as its escape.

    >>> print(visible("a\x1b[31m title[/INST]"))
    a\x1b[31m title[/INST]
    """
    lines = str(text).replace("\r\n", "\n")
    return UNSAFE.sub(lambda match: ascii(match[0])[1:-1], lines)


def one_line(text: object) -> str:
    """``visible(text)`` without tabs and line feeds: for bars and headings."""
    return " ".join(visible(text).split())


class SafeFormatter(logging.Formatter):
    """Log records whose arguments and tracebacks may hold the user's text."""

    def format(self, record: logging.LogRecord) -> str:
        """As the base class does, made visible."""
        return visible(super().format(record))


def make_streams_safe() -> None:
    """For this process: characters that the output's encoding lacks are escaped, and log records
    that come before any handler is set up are made visible."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as Python itself does for stderr
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(SafeFormatter())


def print_error(text: object) -> None:
    """Write a message to standard error."""
    print(visible(text), file=sys.stderr, flush=True)


def print_traceback(error: BaseException) -> None:
    """Write a traceback to standard error; its message may hold anything."""
    print_error("".join(traceback.format_exception(error)).rstrip("\n"))
