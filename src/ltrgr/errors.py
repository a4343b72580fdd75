"""The errors that ltrgr raises for the user; one that a single file raises lies in that file."""

from __future__ import annotations


class LtrgrError(ValueError):
    """A fault that the user can fix; the command line prints the message without a traceback.

    The message says what was found, what was expected and the command that fixes it. A subclass
    may name another ``exit_code`` than ``ltrgr.cli.errors.MISUSED``.
    """


class CorpusError(LtrgrError):
    """A corpus is unusable; the message names file and line."""


class IndexFormatError(LtrgrError):
    """The index or its input is invalid; the message gives the command that repairs it."""


class RetrieverError(LtrgrError):
    """A retriever cannot be opened, or a question or setting is invalid."""
