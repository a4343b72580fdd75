"""Corpus files of hostile lines: what is read equals a plain second reading, or one line of error
names the file and the line. Nothing else happens."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ltrgr.corpus.beir import read_beir
from ltrgr.errors import CorpusError

IDS = tuple("abcde7")
OUTCOMES: Counter[str] = Counter()
DEEP = b'{"_id": "a", "text": ' + b"[" * 5000 + b"]" * 5000 + b"}"


def identity(line: bytes) -> bytes:
    """The begin of a line, with its id: most lists have no id twice, so that some are right."""
    return line[:12]


def mostly(usual: st.SearchStrategy, hostile: st.SearchStrategy) -> st.SearchStrategy:
    """One hostile line in thirty: a third of the corpora have none."""
    return st.integers(1, 30).flatmap(lambda n: hostile if n == 17 else usual)


passage_lines = mostly(
    st.builds(
        lambda i, title, text: json.dumps({"_id": i, "title": title, "text": text}).encode(),
        st.sampled_from(IDS),
        st.sampled_from(["Oak", "", None, "\u0000", "Ω", "[/b]"]),
        st.sampled_from(["A tree.", "", None, "two\nlines", "\u2028", "नदी"]),
    ),
    st.sampled_from(
        [
            b"", b"   ", b"\r", b"{", b"[]", b"null", b"3", b'"text"', b"\xff\xfe", b"{}", DEEP,
            b'{"_id": 7, "text": "x"}', b'{"_id": "", "text": "x"}', b'{"_id": "b b", "text": "x"}',
            b'{"_id": "y", "txt": "x"}', b'{"_id": "y", "text": 3}',
            b'{"_id": "y", "text": "\\ud800"}', b'{"_id": "y", "text": "x"}\r',
            b'{"_id": "y", "text": "x", "metadata": {"url": null}}',
            b'{"_id": "y", "text": NaN}', b'{"_id": "y", "text": "x"} {"_id": "d"}',
        ]
    ),
)  # fmt: skip
query_lines = mostly(
    st.builds(
        lambda i, text: json.dumps({"_id": i, "text": text}).encode(),
        st.sampled_from([f"q{n}" for n in range(4)]),
        st.sampled_from(["what is oak", "Où?", "{x}"]),
    ),
    st.sampled_from(
        [
            b"",
            b"nonsense",
            b'{"_id": "q1"}',
            b'{"_id": "q2", "text": null}',
            b'{"_id": "q", "text": " "}',
        ]
    ),
)
qrel_lines = mostly(
    st.builds(
        lambda q, p, grade: f"{q}\t{p}\t{grade}".encode(),
        st.sampled_from([f"q{n}" for n in range(4)]),
        st.sampled_from(IDS),
        st.sampled_from(["1", "0", "2", "-1", "1.0"]),
    ),
    st.sampled_from(
        [
            b"", b"q1 a 1", b"q1\ta", b"q1\t0\ta\t1", b"\xc3\x28", b"q1\ta\t1\r", b"q1\ta\t1.5",
            b"q1\ta\tx", b"q1\ta\t", b"q1\ta\t1e3", b"q1\ta\t99999999999", b"q1\tzz\t1",
        ]
    ),
)  # fmt: skip
HEADERS = st.sampled_from(
    [b"query-id\tcorpus-id\tscore"] * 20 + [b"", b"query-id corpus-id score", b"q1\ta\t1"]
)


class FaultError(Exception):
    """(file, line) of the first fault."""


def second_reading(folder: Path) -> tuple[dict[str, tuple[str, str]], dict[str, dict[str, int]]]:
    """Passages and judgements, written for shortness; raises Fault at the first wrong line."""
    passages: dict[str, tuple[str, str]] = {}
    empty: set[str] = set()
    for number, line in lines(folder / "corpus.jsonl"):
        record = parsed(line, "corpus.jsonl", number, known={*passages, *empty})
        title, text = (record.get(name, "") or "" for name in ("title", "text"))
        extra = set(record) - {"_id", "title", "text", "metadata"}
        if any(isinstance(record.get(n), int | float | list | dict) for n in ("title", "text")):
            raise FaultError("corpus.jsonl", number)
        if ("text" not in record and extra) or bad_text(title) or bad_text(text):
            raise FaultError("corpus.jsonl", number)
        if title.strip() or text.strip():
            passages[record["_id"]] = (title, text)
        else:
            empty.add(record["_id"])
    if not passages:
        raise FaultError("corpus.jsonl", 0)
    queries: set[str] = set()
    for number, line in lines(folder / "queries.jsonl"):
        record = parsed(line, "queries.jsonl", number, known=queries)
        if not isinstance(record.get("text"), str) or not record["text"].strip():
            raise FaultError("queries.jsonl", number)
        queries.add(record["_id"])
    return passages, judgements(folder, passages, queries)


def judgements(
    folder: Path, passages: dict[str, tuple[str, str]], queries: set[str]
) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    judged = list(lines(folder / "qrels" / "test.tsv"))
    if not judged or judged[0][1].strip() != "query-id\tcorpus-id\tscore":
        raise FaultError("test.tsv", judged[0][0] if judged else 1)
    for number, line in judged[1:]:
        fields = [field.strip() for field in line.split("\t")]
        if len(fields) != 3:
            raise FaultError("test.tsv", number)
        digits = fields[2].removesuffix(".0").removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 9):
            raise FaultError("test.tsv", number)
        grade = max(0, int(float(fields[2])))
        known = fields[0] in queries and fields[1] in passages
        if known and found.setdefault(fields[0], {}).setdefault(fields[1], grade) != grade:
            raise FaultError("test.tsv", number)
    kept = {query: of for query, of in found.items() if any(of.values())}
    if not kept:
        raise FaultError("test.tsv", 0)
    return kept


def lines(path: Path) -> list[tuple[int, str]]:
    found = []
    for number, raw in enumerate(path.read_bytes().split(b"\n"), start=1):
        try:
            text = raw.decode().rstrip("\r")
        except UnicodeDecodeError:
            found.append((number, "\x00undecodable"))
            continue
        if text.strip():
            found.append((number, text))
    return found


def parsed(line: str, file: str, number: int, *, known: set[str]) -> dict:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        raise FaultError(file, number) from None
    identity = record.get("_id") if isinstance(record, dict) else None
    if not isinstance(identity, str) or identity.split() != [identity] or identity in known:
        raise FaultError(file, number)
    return record


def bad_text(text: object) -> bool:
    try:
        str(text).encode()
    except UnicodeEncodeError:
        return True
    return not isinstance(text, str)


@settings(
    max_examples=1000, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(
    st.lists(passage_lines, min_size=1, max_size=5, unique_by=identity),
    st.lists(query_lines, min_size=1, max_size=5, unique_by=identity),
    HEADERS,
    st.lists(qrel_lines, min_size=1, max_size=12, unique_by=lambda line: line.rpartition(b"\t")[0]),
)
def test_right_or_one_line_with_file_and_place(
    tmp_path: Path, passages: list[bytes], queries: list[bytes], header: bytes, judged: list[bytes]
) -> None:
    folder = tmp_path / "corpus"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_bytes(b"\n".join(passages))
    (folder / "queries.jsonl").write_bytes(b"\n".join(queries))
    (folder / "qrels" / "test.tsv").write_bytes(b"\n".join([header, *judged]))
    try:
        expected, fault = second_reading(folder), None
    except FaultError as error:
        expected, fault = None, error.args
    try:
        corpus = read_beir(path=folder)
    except CorpusError as error:
        assert fault is not None, error
        place = f"{fault[0]}:{fault[1]}: " if fault[1] else f"{fault[0]}: "
        assert place in str(error), (place, str(error))
        assert "\n" not in str(error)
        OUTCOMES["one clear line"] += 1
        return
    assert fault is None, fault
    found = {passage.id: (passage.title, passage.text) for passage in corpus.passages}
    assert (found, corpus.test.qrels) == expected
    assert {query.id for query in corpus.test.queries} == set(corpus.test.qrels)
    OUTCOMES["right"] += 1


def test_both_outcomes_were_seen() -> None:
    """The fuzzer above must have met both kinds often; alone, this test has nothing to see."""
    if not OUTCOMES:
        pytest.skip("the fuzzer ran in another process")
    assert min(OUTCOMES["right"], OUTCOMES["one clear line"]) > 10, OUTCOMES
    print(dict(OUTCOMES))
