"""Relevance judgements as tab-separated files."""

from __future__ import annotations

import re
from collections.abc import Container

from ltrgr.corpus.oddities import (
    BELOW_ZERO,
    OF_EMPTY_PASSAGE,
    UNKNOWN_PASSAGE,
    UNKNOWN_QUERY,
    Oddities,
)
from ltrgr.corpus.records import Qrels
from ltrgr.corpus.source import Source
from ltrgr.errors import CorpusError

HEADER = "query-id\tcorpus-id\tscore"
_GRADE = re.compile(r"(-?)(\d{1,9})(?:\.0+)?", re.ASCII)
"""a whole number, also as ``1.0``; metrics count in 32-bit integers"""


def read_qrels(
    source: Source,
    *,
    queries: Container[str],
    passages: Container[str],
    oddities: Oddities,
    empty: Container[str] = (),
) -> Qrels:
    """The judgements of one split: lines of query id, passage id and a grade.

    A grade below 0 counts as 0, and a judgement of an unknown query or passage is left out; both
    are counted in ``oddities``.

    Args:
        empty: ids of passages that are left out because they have no text.

    Raises CorpusError on a missing header, a wrong number of columns, a grade that is no whole
    number, and a pair that is judged twice with different grades.
    """
    lines = source.lines()
    where, first = next(lines, (f"{source.path}:1", ""))
    if first.strip() != HEADER:
        raise CorpusError(
            f"{where}: found {first!r}, expected the header {HEADER!r}: add it as the first line"
        )
    qrels: Qrels = {}
    for where, line in lines:
        query, passage, grade = _read_judgement(line, where)
        if grade < 0:
            oddities.add(BELOW_ZERO, where)
            grade = 0
        if query not in queries:
            oddities.add(UNKNOWN_QUERY, where)
            continue
        if passage not in passages:
            oddities.add(OF_EMPTY_PASSAGE if passage in empty else UNKNOWN_PASSAGE, where)
            continue
        if qrels.setdefault(query, {}).setdefault(passage, grade) != grade:
            raise CorpusError(
                f"{where}: found grade {grade} for query {query!r} and passage {passage!r}, "
                f"expected {qrels[query][passage]} as further up: delete one of the lines"
            )
    return qrels


def write_qrels(qrels: Qrels) -> str:
    """The text of the file that :func:`read_qrels` reads.

    >>> write_qrels({"q1": {"p7": 1}})
    'query-id\\tcorpus-id\\tscore\\nq1\\tp7\\t1\\n'
    """
    rows = [f"{q}\t{p}\t{grade}" for q, judged in qrels.items() for p, grade in judged.items()]
    return "\n".join([HEADER, *rows, ""])


def _read_judgement(line: str, where: str) -> tuple[str, str, int]:
    fields = line.split("\t")
    if len(fields) != 3:
        raise CorpusError(
            f"{where}: found {len(fields)} columns, expected 3 with tabs between them: {HEADER!r}"
        )
    query, passage, grade = (field.strip() for field in fields)
    read = _GRADE.fullmatch(grade)
    if read is None:
        raise CorpusError(
            f"{where}: found score {grade[:40]!r}, expected a whole number of at most 9 digits "
            "(relevant when above 0)"
        )
    return query, passage, int(read[1] + read[2])
