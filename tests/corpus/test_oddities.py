"""What BEIR's own sets hold: read over, counted, reported once; refused with ``strict``."""

from __future__ import annotations

import gzip
import json
import logging
from pathlib import Path

import pytest

from ltrgr.cli.main import main
from ltrgr.corpus.beir import read_beir
from ltrgr.corpus.records import Passage, Query
from ltrgr.errors import CorpusError

HEADER = "query-id\tcorpus-id\tscore\n"
PASSAGES = [
    {"_id": "a", "title": None, "text": "An oak is a tree."},
    {"_id": "b", "title": "", "text": ""},
    {"_id": "c", "title": "Ash", "text": "The ash grows in parks."},
    {"_id": "q1", "title": "Elm", "text": "what is an oak"},  # a question that is a passage, too
]
QUERIES = [{"_id": "q1", "text": "what is an oak"}, {"_id": "q2", "text": "where does ash grow"}]
JUDGED = "q1\ta\t1.0\nq1\tc\t-1\nq1\tb\t1\nq1\tzzz\t1\nq9\ta\t1\nq2\tc\t2\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A corpus with a test split alone, as most of BEIR's."""
    root = tmp_path / "trees"
    (root / "qrels").mkdir(parents=True)
    (root / "corpus.jsonl").write_text("".join(json.dumps(p) + "\n" for p in PASSAGES))
    (root / "queries.jsonl").write_text("".join(json.dumps(q) + "\n" for q in QUERIES))
    (root / "qrels/test.tsv").write_text(HEADER + JUDGED)
    return root


def test_it_goes_on_counts_and_says_so_once(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        corpus = read_beir(path=folder)
    assert corpus.passages == (
        Passage("a", "", "An oak is a tree."),
        Passage("c", "Ash", "The ash grows in parks."),
        Passage("q1", "Elm", "what is an oak"),
    )
    assert corpus.test.queries == tuple(Query(q["_id"], q["text"]) for q in QUERIES)
    assert corpus.test.qrels == {"q1": {"a": 1, "c": 0}, "q2": {"c": 2}}
    assert (corpus.train.queries, corpus.dev.queries) == ((), ())
    place, judged = folder / "corpus.jsonl", folder / "qrels" / "test.tsv"
    assert [record.message for record in caplog.records] == [
        f"{folder} has no training questions (qrels/train.tsv): it can be measured on, not "
        "trained on",
        f"1 fields that are null, read as empty; the first at {place}:1",
        f"1 passages without title and text, left out; the first at {place}:2",
        f"1 scores below 0, read as 0 (not relevant); the first at {judged}:3",
        f"1 judgements of passages that are left out, left out too; the first at {judged}:4",
        f"1 judgements of passages that the corpus file lacks, left out; the first at {judged}:5",
        f"1 judgements of queries that the queries file lacks, left out; the first at {judged}:6",
    ]


@pytest.mark.parametrize(
    ("file", "old", "new", "place"),
    [
        ("corpus.jsonl", "null", '""', "corpus.jsonl:1: found one of: fields that are null"),
        (
            "corpus.jsonl",
            '"text": ""',
            '"text": "b"',
            "corpus.jsonl:2: found one of: passages",
        ),
        ("qrels/test.tsv", "-1", "0", "test.tsv:3: found one of: scores below 0"),
        ("qrels/test.tsv", "zzz", "a", "test.tsv:5: found one of: judgements of passages that the"),
        ("qrels/test.tsv", "q9\ta\t1\n", "", "test.tsv:6: found one of: judgements of queries"),
    ],
)
def test_strict_refuses_each(folder: Path, file: str, old: str, new: str, place: str) -> None:
    """With all the others corrected, this one is what is left."""
    corrections = [
        ("corpus.jsonl", "null", '""'),
        ("corpus.jsonl", '"text": ""', '"text": "b"'),
        ("qrels/test.tsv", "-1", "0"),
        ("qrels/test.tsv", "zzz", "a"),
        ("qrels/test.tsv", "q9\ta\t1\n", ""),
    ]
    for where, wrong, right in corrections:
        if wrong != old:
            text = (folder / where).read_text()
            assert wrong in text
            (folder / where).write_text(text.replace(wrong, right, 1))
    with pytest.raises(CorpusError, match=place):
        read_beir(path=folder, strict=True)
    text = (folder / file).read_text()
    (folder / file).write_text(text.replace(old, new, 1))
    assert read_beir(path=folder, strict=True).test.queries


@pytest.mark.parametrize("file", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_a_packed_file_without_the_suffix_is_read(folder: Path, file: str) -> None:
    expected = read_beir(path=folder)
    (folder / file).write_bytes(gzip.compress((folder / file).read_bytes()))
    found = read_beir(path=folder)
    assert (found.passages, found.test, found.checksum) == (
        expected.passages,
        expected.test,
        expected.checksum,
    )


@pytest.mark.parametrize("score", ["1.5", "1e3", "nan", "", "٣", "1.0.0", "1000000000"])
def test_a_score_that_is_no_whole_number_is_refused(folder: Path, score: str) -> None:
    (folder / "qrels/test.tsv").write_text(HEADER + f"q1\ta\t{score}\n")
    with pytest.raises(CorpusError, match=r"test\.tsv:2: found score "):
        read_beir(path=folder)


def test_a_corpus_to_measure_on(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """BM25 works and leaves out the question's own passage; training says what can be done."""
    settings = ["corpus=beir", f"corpus.path={folder}", f"root={tmp_path / 'runs'}"]
    assert main(["evaluate", "system=bm25", *settings]) == 0
    (run,) = tmp_path.glob("runs/evaluate/*/run.trec")
    ranked = [line.split()[2] for line in run.read_text().splitlines() if line.startswith("q1 ")]
    assert ranked[0] == "a"  # "q1" itself, with all words of the question, would be first
    assert (
        main(["evaluate", "system=bm25", *settings, "evaluation.ignore_identical_ids=false"]) == 0
    )
    runs = tmp_path.glob("runs/evaluate/*/run.trec")
    (other,) = [path for path in runs if path != run]
    assert next(line.split()[2] for line in other.read_text().splitlines()) == "q1"
    capsys.readouterr()
    assert main(["rank", *settings]) == 2
    said = capsys.readouterr().err
    assert "the corpus trees has no training questions, which both stages need" in said
    assert "ltrgr evaluate system=bm25" in said
    assert not (tmp_path / "runs" / "index").exists()
    assert main(["search", "what is an oak", *settings]) == 2
    assert "ltrgr rank" in capsys.readouterr().err


def test_the_list_is_as_long_as_asked(folder: Path, tmp_path: Path) -> None:
    """One more passage is retrieved where one may be left out."""
    settings = ["corpus=beir", f"corpus.path={folder}", f"root={tmp_path / 'runs'}"]
    assert main(["evaluate", "system=bm25", "evaluation.passages=1", *settings]) == 0
    (run,) = tmp_path.glob("runs/evaluate/*/run.trec")
    assert [line.split()[:3:2] for line in run.read_text().splitlines()] == [
        ["q1", "a"],
        ["q2", "c"],
    ]
