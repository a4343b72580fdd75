"""The error of this room: a corpus is unusable."""

from __future__ import annotations


class CorpusError(ValueError):
    """Says what was found (with file and line), what was expected, and how to fix it."""
