"""BEIR folders: what is read, and that every fault is named with its file and line."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest

from ltrgr.corpus.beir import read_beir, write_beir
from ltrgr.corpus.demo import generate_demo
from ltrgr.corpus.records import Corpus, Passage, Query
from ltrgr.errors import CorpusError

HEADER = "query-id\tcorpus-id\tscore\n"
PASSAGES = [
    {"_id": "a", "title": "Oak", "text": "A tree."},
    {"_id": "b", "title": "", "text": "Elms grow."},
    {"_id": "c", "title": "Ash"},
]
QUERIES = [
    {"_id": "q1", "text": "what is oak?", "answers": ["tree"], "metadata": {}},
    {"_id": "q2", "text": "what grows"},
    {"_id": "q3", "text": "which tree"},
    {"_id": "q4", "text": "What  is OAK"},
    {"_id": "q5", "text": "nobody judged me"},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "trees"
    (root / "qrels").mkdir(parents=True)
    (root / "corpus.jsonl").write_text("".join(json.dumps(p) + "\n" for p in PASSAGES))
    (root / "queries.jsonl").write_text("".join(json.dumps(q) + "\n" for q in QUERIES))
    (root / "qrels/train.tsv").write_text(HEADER + "q2\tb\t2\nq2\ta\t0\nq4\ta\t1\nq5\ta\t0\n")
    (root / "qrels/dev.tsv").write_text(HEADER + "q3\ta\t1\nq3\tc\t1\n")
    (root / "qrels/test.tsv").write_text(HEADER + "q1\ta\t1\n")
    return root


def test_reads_passages_queries_and_splits(folder: Path) -> None:
    corpus = read_beir(path=folder)
    assert corpus.name == "trees"
    # q4 asks for what q1 of test asks for, so that it is no pseudo-query of "a".
    assert corpus.passages == (
        Passage("a", "Oak", "A tree."),
        Passage("b", "", "Elms grow.", ("what grows",)),
        Passage("c", "Ash", ""),
    )
    assert corpus.train.queries == (Query("q2", "what grows"), Query("q4", "What  is OAK"))
    assert corpus.train.qrels == {"q2": {"b": 2, "a": 0}, "q4": {"a": 1}}
    assert corpus.dev.qrels == {"q3": {"a": 1, "c": 1}}
    assert corpus.test.queries == (Query("q1", "what is oak?", ("tree",)),)


def test_no_pseudo_queries_where_none_are_wanted(folder: Path) -> None:
    corpus = read_beir(path=folder, pseudo_queries_from_training=False)
    assert [p.pseudo_queries for p in corpus.passages] == [(), (), ()]


@pytest.mark.parametrize("key", ["pseudo_queries", "queries"])
def test_pseudo_queries_of_a_file_replace_the_training_questions(folder: Path, key: str) -> None:
    line = json.dumps({"_id": "c", key: ["ash", "ash tree", "ash"]})
    (folder / "generated.jsonl.gz").write_bytes(gzip.compress(line.encode()))
    corpus = read_beir(path=folder, pseudo_queries="generated.jsonl.gz")
    assert [p.pseudo_queries for p in corpus.passages] == [(), (), ("ash", "ash tree")]


def test_gzip_gives_the_same_corpus_and_checksum(folder: Path) -> None:
    plain = read_beir(path=folder)
    for file in [*folder.glob("*.jsonl"), *folder.glob("qrels/*.tsv")]:
        Path(f"{file}.gz").write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()
    assert read_beir(path=str(folder)) == plain


def test_checksum_follows_content_and_options_but_not_the_name(folder: Path) -> None:
    first = read_beir(path=folder)
    assert read_beir(path=folder, name="other").checksum == first.checksum
    assert read_beir(path=folder, max_test_queries=1).checksum != first.checksum
    rewrite(folder, "queries.jsonl", ("nobody judged me", "nobody judges me"))
    assert read_beir(path=folder).checksum != first.checksum


def test_dev_is_held_out_of_train_whatever_the_order(folder: Path) -> None:
    numbers = range(200)
    with (folder / "queries.jsonl").open("a") as file:
        file.writelines(json.dumps({"_id": f"t{i}", "text": f"t {i}"}) + "\n" for i in numbers)
    rows = [f"t{i}\tb\t1\n" for i in numbers]
    (folder / "qrels/train.tsv").write_text(HEADER + "".join(rows))
    (folder / "qrels/dev.tsv").unlink()
    corpus = read_beir(path=folder, dev=None)
    dev, train = ({q.id for q in s.queries} for s in (corpus.dev, corpus.train))
    assert (len(dev), len(train)) == (20, 180)
    assert dev.isdisjoint(train)
    assert corpus.dev.qrels == {i: {"b": 1} for i in corpus.dev.qrels}
    # Held-out questions must not come back as pseudo-queries.
    assert set(corpus.passages[1].pseudo_queries) == {q.text for q in corpus.train.queries}
    (folder / "qrels/train.tsv").write_text(HEADER + "".join(reversed(rows)))
    assert {q.id for q in read_beir(path=folder, dev=None).dev.queries} == dev


def test_max_test_queries_keeps_the_same_ones(folder: Path) -> None:
    (folder / "qrels/dev.tsv").write_text(HEADER + "q2\ta\t1\n")
    (folder / "qrels/train.tsv").write_text(HEADER + "q4\ta\t1\n")
    (folder / "qrels/test.tsv").write_text(HEADER + "q1\ta\t1\nq3\ta\t1\nq5\tb\t1\n")
    two = read_beir(path=folder, max_test_queries=2).test
    one = read_beir(path=folder, max_test_queries=1).test
    assert len(two.queries) == len(two.qrels) == 2
    assert set(one.qrels) < set(two.qrels)
    assert len(read_beir(path=folder, max_test_queries=9).test.queries) == 3


def test_the_demo_survives_the_round_trip(tmp_path: Path) -> None:
    demo = generate_demo(
        passages=120, train_questions=300, dev_questions=40, test_questions=40, seed=3
    )
    target = write_beir(demo, tmp_path / "new" / "demo")
    again = read_beir(path=target, pseudo_queries="pseudo_queries.jsonl", name="demo-3")
    assert (again.name, again.passages) == (demo.name, demo.passages)
    assert (again.train, again.dev, again.test) == (demo.train, demo.dev, demo.test)
    assert [p.name for p in target.parent.iterdir()] == ["demo"]  # no scratch is left
    with pytest.raises(CorpusError, match=r"expected a new directory.*rm -r"):
        write_beir(demo, target)


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    demo = generate_demo(passages=120, train_questions=9, dev_questions=9, test_questions=9)

    def fail(qrels: object) -> str:
        raise OSError("disk full")

    monkeypatch.setattr("ltrgr.corpus.beir_write.write_qrels", fail)
    with pytest.raises(OSError, match="disk full"):
        write_beir(demo, tmp_path / "demo")
    assert list(tmp_path.iterdir()) == []


def rewrite(folder: Path, file: str, *edits: tuple[str, str]) -> None:
    text = (folder / file).read_text()
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    (folder / file).write_text(text)


FAULTS = [
    # file, old text, new text, line, what the error says
    ("corpus.jsonl", '{"_id": "b"', '{"_id": "b', 2, "malformed JSON"),
    ("corpus.jsonl", json.dumps(PASSAGES[1]), '["b"]', 2, "a JSON list"),
    ("corpus.jsonl", '"_id": "b", ', "", 2, 'no "_id" among'),
    ("corpus.jsonl", '"_id": "b"', '"_id": ""', 2, 'empty "_id"'),
    ("corpus.jsonl", '"_id": "b"', '"_id": 7', 2, "'_id' of type int, expected a string"),
    ("corpus.jsonl", '"_id": "b"', '"_id": "b b"', 2, "white space"),
    ("corpus.jsonl", '"_id": "c"', '"_id": "a"', 3, r"again, first at .*corpus\.jsonl:1"),
    ("corpus.jsonl", '"text": "Elms grow."', '"txt": "Elms grow."', 2, "no 'text' among .*'txt'"),
    ("corpus.jsonl", '"Elms grow."', "7", 2, "'text' of type int"),
    ("corpus.jsonl", '"Elms grow."', r'"\ud800"', 2, "surrogate"),
    ("queries.jsonl", '"what grows"', '""', 2, "query 'q2' without text"),
    ("queries.jsonl", ', "text": "what grows"', "", 2, "no 'text' among"),
    ("queries.jsonl", '["tree"]', '"tree"', 1, "'answers' of type str, expected a list"),
    ("queries.jsonl", '["tree"]', "[3]", 1, "'answers' of type int"),
    ("queries.jsonl", '["tree"]', '[""]', 1, "empty string in 'answers'"),
    ("queries.jsonl", '"_id": "q2"', '"_id": "q1"', 2, "again"),
    ("qrels/train.tsv", HEADER, "", 1, "expected the header"),
    ("qrels/train.tsv", "q2\tb\t2", "q2\tb\t1.5", 2, "score '1.5'"),
    ("qrels/train.tsv", "q2\tb\t2", "q2 b 2", 2, "1 columns, expected 3"),
    ("qrels/train.tsv", "q2\ta\t0", "q2\tb\t0", 3, "expected 2 as further up"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault[4])
def test_faults_name_file_and_line(folder: Path, fault: tuple[str, str, str, int, str]) -> None:
    file, old, new, line, message = fault
    read_beir(path=folder)
    rewrite(folder, file, (old, new))
    with pytest.raises(CorpusError, match=message) as caught:
        read_beir(path=folder)
    assert str(caught.value).startswith(f"{folder / file}:{line}: found")


PSEUDO_FAULTS = [
    ('{"_id": "z", "queries": []}', "passage id 'z'"),
    ('{"_id": "a", "text": "x"}', "expected .*pseudo_queries"),
    ('{"_id": "a", "queries": "x"}', "expected a list"),
    ('{"_id": "a", "queries": []}\n{"_id": "a", "queries": []}', "again"),
]


@pytest.mark.parametrize(("text", "message"), PSEUDO_FAULTS)
def test_faults_of_the_pseudo_query_file(folder: Path, text: str, message: str) -> None:
    (folder / "p.jsonl").write_text(text)
    with pytest.raises(CorpusError, match=message) as caught:
        read_beir(path=folder, pseudo_queries=folder / "p.jsonl")
    assert str(caught.value).startswith(f"{folder / 'p.jsonl'}:{1 + text.count(chr(10))}: found")


def test_bytes_that_are_not_utf8(folder: Path) -> None:
    file = folder / "corpus.jsonl"
    file.write_bytes(file.read_bytes().replace(b"Elms", b"\xe9lms"))
    with pytest.raises(CorpusError, match=r"corpus\.jsonl:2: found byte 0xe9 at column 36"):
        read_beir(path=folder)


@pytest.mark.parametrize("damage", ["cut", "noise", "not gzip"])
def test_damaged_gzip(folder: Path, damage: str) -> None:
    file = folder / "corpus.jsonl"
    packed = gzip.compress(file.read_bytes())
    broken = {
        "cut": packed[:-12],
        "noise": packed[:30] + bytes(b ^ 255 for b in packed[30:60]) + packed[60:],
        "not gzip": b"plain text",
    }[damage]
    Path(f"{file}.gz").write_bytes(broken)
    file.unlink()
    with pytest.raises(CorpusError, match=r"corpus\.jsonl\.gz: found a gzip file that is cut"):
        read_beir(path=folder)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("corpus.jsonl", r"expected .*corpus\.jsonl or corpus\.jsonl\.gz.*set corpus\.path"),
        ("qrels/dev.tsv", r"with test\.tsv, train\.tsv, expected .*set corpus\.dev=null"),
        ("qrels/test.tsv", r"test split: set corpus\.test"),
    ],
)
def test_missing_files(folder: Path, file: str, message: str) -> None:
    (folder / file).unlink()
    with pytest.raises(CorpusError, match=message):
        read_beir(path=folder)


def test_missing_folder_and_pseudo_queries(folder: Path) -> None:
    with pytest.raises(CorpusError, match="found no folder, expected"):
        read_beir(path=folder / "nowhere")
    with pytest.raises(CorpusError, match=r"no file of pseudo-queries.*set it to null"):
        read_beir(path=folder, pseudo_queries="nowhere.jsonl")


def test_two_versions_of_a_file_are_refused(folder: Path) -> None:
    (folder / "corpus.jsonl.gz").write_bytes(gzip.compress(b""))
    with pytest.raises(CorpusError, match="found both"):
        read_beir(path=folder)


def test_a_query_in_two_splits_is_refused(folder: Path) -> None:
    rewrite(folder, "qrels/train.tsv", ("q4\ta\t1", "q1\ta\t1"))
    with pytest.raises(CorpusError, match="'q1' in the splits train and test"):
        read_beir(path=folder)


def test_empty_splits_and_bad_numbers_are_refused(folder: Path) -> None:
    with pytest.raises(CorpusError, match="max_test_queries=0"):
        read_beir(path=folder, max_test_queries=0)
    (folder / "qrels/dev.tsv").write_text(HEADER + "q3\ta\t0\n")
    with pytest.raises(CorpusError, match=r"dev\.tsv: found no query with a relevant passage"):
        read_beir(path=folder)


def test_windows_line_ends_and_byte_order_mark(folder: Path) -> None:
    plain: Corpus = read_beir(path=folder)
    for file in [*folder.glob("*.jsonl"), *folder.glob("qrels/*.tsv")]:
        text = file.read_text()
        file.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    again = read_beir(path=folder)
    assert (again.passages, again.train, again.dev) == (plain.passages, plain.train, plain.dev)


def test_a_folder_without_qrels_is_told_what_they_are(folder: Path) -> None:
    shutil.rmtree(folder / "qrels")
    told = rf"{folder} has no folder qrels/: expected .*/qrels/train\.tsv .* of query-id, corpus-id"
    with pytest.raises(CorpusError, match=told):
        read_beir(path=folder)
