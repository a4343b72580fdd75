"""Relevance judgements as tab-separated files."""

from __future__ import annotations

from collections.abc import Container

from ltrgr.corpus.records import Qrels
from ltrgr.corpus.source import Source
from ltrgr.errors import CorpusError

HEADER = "query-id\tcorpus-id\tscore"
_MOST_DIGITS = 9  # metrics count in 32-bit integers


def read_qrels(source: Source, *, queries: Container[str], passages: Container[str]) -> Qrels:
    """The judgements of one split: lines of query id, passage id and a grade from 0 upwards.

    Raises CorpusError on a missing header, a wrong number of columns, an unknown id, a bad grade,
    and a pair that is judged twice with different grades.
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
        if query not in queries:
            raise CorpusError(
                f"{where}: found query id {query!r}, expected one of the queries file: "
                "add the query or delete the line"
            )
        if passage not in passages:
            raise CorpusError(
                f"{where}: found passage id {passage!r}, expected one of the corpus file: "
                "add the passage or delete the line"
            )
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
    if not (grade.isascii() and grade.isdigit() and len(grade) <= _MOST_DIGITS):
        raise CorpusError(
            f"{where}: found score {grade[:40]!r}, expected a whole number from 0 to "
            f"{10**_MOST_DIGITS - 1:,} (relevant when above 0)"
        )
    return query, passage, int(grade)
