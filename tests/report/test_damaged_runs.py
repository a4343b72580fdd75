"""Runs that cannot be read: left out, and named."""

from __future__ import annotations

import html
import shutil
from pathlib import Path

import pytest
from run_folders import sweep

from ltrgr.report.page.groups import comparables
from ltrgr.report.page.page import write_page
from ltrgr.report.page.runs import NoRunsError, Run, Runs


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """BM25, stage 1 and two margins."""
    sweep(tmp_path, margins=(1.0, 2.0), lambdas=(1.0,), seeds=1)
    return tmp_path


def ranked(root: Path) -> list[Run]:
    return Runs.load(root).of("rank")


def page(root: Path) -> str:
    written = write_page(root, root / "r.html", title="T", samples=20).read_text(encoding="utf-8")
    return html.unescape(written)


def test_a_run_is_lost_with_what_it_was_made_from(root: Path) -> None:
    lost = ranked(root)[0]
    (lost.directory / "DONE.json").write_text('{"stage": "ra')
    runs = Runs.load(root)
    (one,) = comparables(runs)
    assert [group.system for group in one.groups] == ["bm25", "pretrain", "rank"]
    reasons = dict(runs.damaged)
    assert reasons.pop(f"rank/{lost.name}/DONE.json").startswith("JSONDecodeError: Unterminated")
    assert list(reasons.values()) == [f"made from rank/{lost.name}"]
    assert all(what.startswith("evaluate/") for what in reasons)
    assert "2 of the files and folders cannot be read and are left out" in page(root)
    assert f"rank/{lost.name}/DONE.json" in page(root)


def test_what_comes_of_a_lost_index_is_lost_over_all_stages(root: Path) -> None:
    (index,) = Runs.load(root).of("index")
    (index.directory / "DONE.json").write_text('{"stage": "index", "fingerprint": "x"}')
    runs = Runs.load(root)
    assert {(run.stage, run.inputs.get("system")) for run in runs.found} == {("evaluate", "bm25")}
    assert dict(runs.damaged)[f"index/{index.name}/DONE.json"] == "ValueError: it lacks inputs"
    assert len(runs.damaged) == 1 + 1 + 1 + 2 + 3  # index, pretrain, mine, rank, evaluate


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("scores.json", "[1]", "found a list, expected an object"),
        ("examples.json", '{"questions": []}', "it lacks passages"),
        (
            "per_question.json",
            '{"query_ids": ["q"], "values": {"mrr@10": [1, 2]}}',
            "mrr@10 has not",
        ),
        (
            "per_question.json",
            '{"query_ids": ["q"], "values": {"mrr@10": ["a"]}}',
            "could not convert",
        ),
        ("metrics.json", "", "Expecting value"),
        ("environment.json", "\0", "Expecting value"),
    ],
)
def test_a_damaged_file_is_as_if_it_were_not_there(
    root: Path, name: str, content: str, reason: str
) -> None:
    run = next(r for r in Runs.load(root).of("evaluate") if r.inputs["system"] == "rank")
    (run.directory / name).write_text(content)
    ((what, why),) = Runs.load(root).damaged
    assert what == f"evaluate/{run.name}/{name}"
    assert reason in why
    written = page(root)
    assert "1 of the files and folders cannot be read and is left out" in written
    assert f"<code>{what}</code>: {why}" in written


def test_damaged_curves_leave_the_others(root: Path) -> None:
    run = ranked(root)[0]
    before = run.curves
    folder = run.directory / "curves" / "version_1"
    folder.mkdir()
    (folder / "metrics.csv").write_text("step,train/loss\n7,x\n")
    again = next(other for other in ranked(root) if other.name == run.name)
    assert again.curves == before
    assert again.curves["train/loss"][0] == (0.0, 90.0)
    assert "curves/version_1/metrics.csv" in page(root)


def test_where_nothing_is_left_the_error_names_the_damage(root: Path) -> None:
    for stage in ("rank", "pretrain", "mine", "index"):
        shutil.rmtree(root / stage)
    for path in root.glob("evaluate/*/DONE.json"):
        path.write_text("")
    with pytest.raises(NoRunsError, match=r"evaluate/\w+/DONE.json cannot be read: JSONDecode"):
        Runs.load(root)
