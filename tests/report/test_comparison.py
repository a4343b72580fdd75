"""Evaluations side by side: what is compared, what is refused, and TREC's own judgement of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import ir_measures
import pytest

from ltrgr.cli.main import main
from ltrgr.report.comparison import (
    ComparisonError,
    differences,
    expect_same_questions,
    largest,
    read_evaluation,
)

SMALL = ["corpus.passages=80", "corpus.train_questions=100", "corpus.dev_questions=20"]


def folder(
    path: Path, first: list[float], *, ids: tuple[str, ...] = ("a", "b", "c", "d"), **inputs: object
) -> Path:
    """An evaluation with the values of one metric."""
    path.mkdir(parents=True)
    texts = [f"question {identity}" for identity in ids]
    stored = {"query_ids": ids, "texts": texts, "values": {"mrr@10": first}}
    (path / "per_question.json").write_text(json.dumps(stored))
    known = {"system": "rank", "corpus": "c0", "settings": {"split": "test"}} | inputs
    (path / "DONE.json").write_text(json.dumps({"stage": "evaluate", "inputs": known}))
    return path


def test_differences_and_the_questions_that_differ_most(tmp_path: Path) -> None:
    first = read_evaluation(folder(tmp_path / "x", [1.0, 0.5, 0.0, 0.2], system="pretrain"))
    other = read_evaluation(folder(tmp_path / "y", [0.0, 0.5, 1.0, 0.5]))
    (found,) = differences(first, other, samples=100)
    assert (found.metric, found.wins, found.ties, found.losses) == ("mrr@10", 2, 1, 1)
    assert (found.mean, found.other) == (pytest.approx(0.425), pytest.approx(0.5))
    # signs of -1, 1, .3: of the 8 sums only +-.7 (twice each) lie nearer to 0 than .3... all count
    sums = [abs(a + b + 0.3 * c) for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)]
    assert found.p == pytest.approx(sum(s >= 0.3 - 1e-9 for s in sums) / 8)
    assert largest(first, other, metric="mrr@10", n=5) == ([2, 3], [0])
    assert largest(first, other, metric="mrr@10", n=1) == ([2], [0])
    with pytest.raises(ComparisonError, match=r"metric=ndcg: expected one of mrr@10"):
        largest(first, other, metric="ndcg", n=1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"corpus": "c1"}, "of different corpora"),
        ({"settings": {"split": "dev"}}, "is of test, rank y of dev: evaluate both on the same"),
        ({"ids": ("a", "b", "c", "e")}, "are not the same: evaluate both with the same"),
    ],
)
def test_runs_of_other_questions_are_refused(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    runs = [folder(tmp_path / "x", [1.0] * 4), folder(tmp_path / "y", [1.0] * 4, **changes)]
    with pytest.raises(ComparisonError, match=message):
        expect_same_questions([read_evaluation(run) for run in runs])


def test_one_run_and_folders_of_something_else(tmp_path: Path) -> None:
    run = folder(tmp_path / "x", [1.0] * 4)
    with pytest.raises(ComparisonError, match=r"found 1 run\(s\), expected two or more"):
        expect_same_questions([read_evaluation(run)])
    with pytest.raises(ComparisonError, match="is no evaluation"):
        read_evaluation(tmp_path)
    (run / "per_question.json").write_text('{"query_ids": ["a"], "values": {"m": [1, 2]}}')
    with pytest.raises(ComparisonError, match=r"per_question\.json is damaged"):
        read_evaluation(run)


def test_the_command_and_the_figures_of_a_trec_tool(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = [*SMALL, "corpus.test_questions=20", f"root={tmp_path}", "system=bm25"]
    assert main(["evaluate", *settings]) == 0
    assert main(["evaluate", *settings, "evaluation.k1=3", "evaluation.b=0"]) == 0
    runs = sorted(path.parent for path in tmp_path.glob("evaluate/*/run.trec"))
    assert len(runs) == 2
    for run in runs:
        qrels = list(ir_measures.read_trec_qrels(str(run / "qrels.trec")))
        ranked = list(ir_measures.read_trec_run(str(run / "run.trec")))
        judged = ir_measures.calc_aggregate(
            [ir_measures.RR @ 10, ir_measures.Success @ 5], qrels, ranked
        )
        metrics = json.loads((run / "metrics.json").read_text())
        assert judged[ir_measures.RR @ 10] == pytest.approx(metrics["mrr@10"])
        assert judged[ir_measures.Success @ 5] == pytest.approx(metrics["hits@5"])
        assert len({judgement.query_id for judgement in qrels}) == metrics["questions"] == 20
    capsys.readouterr()
    assert main(["compare", *map(str, runs), "questions_shown=1", "metric=hits@5"]) == 0
    shown = capsys.readouterr().out
    assert "test, 20 questions" in shown
    assert f"bm25 {runs[1].name[:6]}" in shown
    assert "mrr@10" in shown and "wins" in shown
    assert main(["compare", str(runs[0])]) == 2
    assert "expected two or more; give folders" in capsys.readouterr().err


def test_an_evaluation_of_an_older_version_has_no_texts(tmp_path: Path) -> None:
    run = folder(tmp_path / "x", [1.0] * 4)
    stored = json.loads((run / "per_question.json").read_text())
    stored.pop("texts")
    (run / "per_question.json").write_text(json.dumps(stored))
    assert read_evaluation(run).texts == {}
    shutil.rmtree(run)
