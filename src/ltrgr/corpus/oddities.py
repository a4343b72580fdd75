"""What published corpora hold that is not as the layout says: read over, counted, and reported."""

from __future__ import annotations

import logging

from ltrgr.errors import CorpusError

log = logging.getLogger(__name__)

BELOW_ZERO = "scores below 0, read as 0 (not relevant)"
EMPTY_PASSAGE = "passages without title and text, left out"
NULL = "fields that are null, read as empty"
OF_EMPTY_PASSAGE = "judgements of passages that are left out, left out too"
UNKNOWN_PASSAGE = "judgements of passages that the corpus file lacks, left out"
UNKNOWN_QUERY = "judgements of queries that the queries file lacks, left out"


class Oddities:
    """Counts of what was read over, by kind.

    Args:
        strict: refuse each of them instead.
    """

    def __init__(self, *, strict: bool = False) -> None:
        self.strict = strict
        self.counts: dict[str, int] = {}
        self._first: dict[str, str] = {}

    def add(self, kind: str, where: str) -> None:
        """Count one.

        Args:
            where: file and line.

        Raises:
            CorpusError: with ``strict``.
        """
        if self.strict:
            raise CorpusError(
                f"{where}: found one of: {kind}; correct it, or set corpus.strict=false to go on"
            )
        self.counts[kind] = self.counts.get(kind, 0) + 1
        self._first.setdefault(kind, where)

    def report(self) -> None:
        """Log one line for each kind: how many there are, and where the first one is."""
        for kind, number in self.counts.items():
            log.warning("%s %s; the first at %s", f"{number:,}", kind, self._first[kind])
