"""The one error of this room: a corpus that cannot be used as it is."""

from __future__ import annotations


class CorpusError(ValueError):
    """What was found (with file and line where there is one), what was expected, how to mend it."""
