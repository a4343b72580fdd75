"""What W&B gets, and what happens where it cannot be reached. No test uses a network."""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from ltrgr.corpus.records import Corpus
from ltrgr.pipeline.settings import WandbSettings
from ltrgr.pipeline.tracking import (
    TrackingError,
    begin_run,
    end_run,
    report_figures,
    run_kept_open,
    silence_of,
    wandb_mode,
    without_folders,
)
from ltrgr.typed import SettingsError
from tiny_pipeline import pipeline, ranking
from wandb_records import wandb_records

KEY = "0123456789" * 4
OWN_SERVER = "https://wandb.example.org:8443"


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WANDB_MODE", "WANDB_API_KEY", "WANDB_BASE_URL", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", "/nowhere/netrc")


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> str:
    """A server that is not there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("WANDB_BASE_URL", url)
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    return url


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server that answers, and knows no key."""

    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(401)
            self.end_headers()

        do_HEAD = do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("WANDB_BASE_URL", url)
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    yield url
    server.shutdown()


def run_of(tracking: WandbSettings, *, name: str = "a run", **config: object) -> Path:
    """Begin a run and end it; the folder of an offline one."""
    import wandb

    logger = begin_run(stage="rank", name=name, tracking=tracking, config=config)
    assert logger is not None
    logger.log_metrics({"dev/mrr": 0.5}, step=1)
    wandb.finish()
    [folder] = tracking.directory.glob("wandb/offline-run-*")
    return folder


def sent(folder: Path) -> bytes:
    """Everything that `wandb sync` would send: all but the debug logs.

    wandb's own process ends the file a moment after `finish` (its last record has the exit code).
    """
    content, limit = b"", time.monotonic() + 20
    while time.monotonic() < limit:
        time.sleep(1)
        files = [f for f in sorted(folder.rglob("*")) if f.is_file() and "logs" not in f.parts]
        before, content = content, b"".join(f.read_bytes() for f in files)
        if before == content and len(content) > 100:
            break
    return content


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "ltrgr"]


def test_a_key_without_a_network_goes_offline_with_one_line(
    tmp_path: Path, closed: str, caplog: pytest.LogCaptureFixture
) -> None:
    begin = time.monotonic()
    with caplog.at_level(logging.WARNING, logger="ltrgr"):
        folder = run_of(WandbSettings(directory=tmp_path))
    assert time.monotonic() - begin < 30  # wandb's own trying takes 90
    assert b"dev/mrr" in sent(folder)
    [line] = told(caplog)
    assert line.startswith(f"W&B goes offline: {closed} does not answer (")
    assert "\n" not in line


def test_online_without_a_network_is_refused_before_any_work(
    tmp_path: Path, closed: str, corpus: Corpus
) -> None:
    tracking = WandbSettings(mode="online", directory=tmp_path)
    tracked = replace(pipeline(tmp_path, corpus), tracking=tracking)
    for begin in (tracked.pretrain, tracked.rank, lambda: run_of(tracking)):
        start = time.monotonic()
        with pytest.raises(
            TrackingError, match=rf"{closed} does not answer .* wandb\.mode=offline"
        ):
            begin()
        assert time.monotonic() - start < 10
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_server_that_refuses_the_key_is_told(
    tmp_path: Path, refusing: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert silence_of(refusing) == ""
    with pytest.raises(TrackingError, match="wandb login"):
        run_of(WandbSettings(mode="online", directory=tmp_path / "a"))
    with caplog.at_level(logging.WARNING, logger="ltrgr"):
        folder = run_of(WandbSettings(directory=tmp_path / "b"))
    assert b"dev/mrr" in sent(folder)
    assert len(told(caplog)) == 1


def test_nothing_of_the_machine_is_sent_unless_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["a_program.py", "the=argument"])
    secrets = [sys.executable, "the=argument", "a_program.py", socket.gethostname(), str(tmp_path)]
    config = {"network": {"checkpoint": tmp_path / "my-bart"}, "margin": 2.5}
    name = f"loss=margin corpus.path={tmp_path}/squad"
    private = sent(
        run_of(WandbSettings(directory=tmp_path / "a", mode="offline"), name=name, **config)
    )
    assert b"my-bart" in private and b"margin" in private and b"2.5" in private
    assert b"loss=margin corpus.path=squad" in private
    assert [secret for secret in secrets if secret.encode() in private] == []
    asked = WandbSettings(directory=tmp_path / "b", mode="offline", environment=True)
    open_ = sent(run_of(asked, name=name, **config))
    assert {s for s in secrets if s.encode() in open_} >= {sys.executable, "the=argument"}


def test_paths_are_cut_to_their_last_part_and_nothing_else_is() -> None:
    given = {
        "a": "/home/ada/bart", "b": ["~/x/y", "facebook/bart-base"], "c": "loss=margin k=/a/b,/c/d",
        "d": "hits@5 / mrr", "e": "https://hub/model", "f": 1.5, "g": Path("/data/squad"),
    }  # fmt: skip
    assert without_folders(given) == {
        "a": "bart", "b": ["y", "facebook/bart-base"], "c": "loss=margin k=b,d",
        "d": "hits@5 / mrr", "e": "https://hub/model", "f": 1.5, "g": "squad",
    }  # fmt: skip


def test_questions_are_sent_only_when_asked(tmp_path: Path, corpus: Corpus) -> None:
    texts = [query.text.encode() for query in corpus.dev.queries[:8]]
    for seed, asked in ((0, False), (1, True)):
        own = WandbSettings(mode="offline", directory=tmp_path / str(seed), examples=asked)
        run = replace(pipeline(tmp_path, corpus), ranking=ranking(seed=seed, steps=4), tracking=own)
        run.rank()
        content = b"".join(sent(folder) for folder in own.directory.glob("wandb/offline-run-*"))
        assert b"dev/mrr@10" in content
        assert any(text in content for text in texts) == asked


@pytest.mark.parametrize("setting", [{"mode": "onlin"}, {"examples": "yes"}, {"environment": 1}])
def test_other_settings_are_refused(setting: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=rf"wandb\.{next(iter(setting))}="):
        WandbSettings(**setting)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "url", "found"),
    [
        (f"machine api.wandb.ai\n  login user\n  password {KEY}\n", "", True),
        (
            f"machine api.wandb.ai login user password {KEY}",
            OWN_SERVER,
            False,
        ),
        (
            f"machine wandb.example.org login user password {KEY}",
            OWN_SERVER,
            True,
        ),
        ("machine github.com login me password x", "", False),
        ("machine api.wandb.ai login", "", False),
        ("\x00\xff", "", False),
    ],
)
def test_a_key_that_wandb_login_wrote_counts(
    text: str, url: str, found: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text(text)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    if url:
        monkeypatch.setenv("WANDB_BASE_URL", url)
    assert wandb_mode(WandbSettings()) == ("online" if found else "offline")
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    assert wandb_mode(WandbSettings()) == "online"


def test_the_summary_holds_the_best_of_each_dev_figure(tmp_path: Path) -> None:
    import wandb

    tracking = WandbSettings(mode="offline", directory=tmp_path)
    logger = begin_run(stage="rank", name="a run", tracking=tracking, config={})
    assert logger is not None
    for step, value in enumerate((0.2, 0.9, 0.5)):
        logger.log_metrics({"dev/mrr@10": value, "train/loss": 1 - value}, step=step)
    wandb.finish()
    wandb.teardown()  # its own process writes the file
    (file,) = tmp_path.glob("wandb/offline-run-*/*.wandb")
    best = {}
    for record in wandb_records(file):
        if record.WhichOneof("record_type") == "metric":
            name = record.metric.name or record.metric.glob_name
            best[name] = (record.metric.summary.max, record.metric.summary.min)
    assert best["dev/*"] == (True, False)
    assert best["train/loss"] == (False, True)


def summary_of(file: Path) -> dict[str, object]:
    """The summary in the file of a run that is over."""
    return {
        update.key or "/".join(update.nested_key): json.loads(update.value_json)
        for record in wandb_records(file)
        if record.WhichOneof("record_type") == "summary"
        for update in record.summary.update
    }


@pytest.mark.parametrize(("stage", "agents"), [("rank", True), ("pretrain", False)])
def test_the_agents_run_belongs_to_the_stage_of_its_command(
    stage: str, agents: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import wandb

    monkeypatch.setenv("WANDB_RUN_ID", "reserved1")
    monkeypatch.setenv("WANDB_SWEEP_ID", "sweep1")
    tracking = WandbSettings(mode="offline", directory=tmp_path, agents_stage="rank")
    logger = begin_run(stage=stage, name="a run", tracking=tracking, config={})
    assert logger is not None
    found = (logger.experiment.id == "reserved1", logger.experiment.sweep_id == "sweep1")
    wandb.finish()
    assert found == (agents, agents)
    assert os.environ["WANDB_RUN_ID"] == "reserved1"


def test_an_agent_gets_the_figures_of_its_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import wandb

    tracking = WandbSettings(mode="offline", directory=tmp_path)
    report_figures(tracking, {"test mrr@10": 0.5})
    assert list(tmp_path.iterdir()) == []  # no agent
    monkeypatch.setenv("WANDB_RUN_ID", "reserved2")
    monkeypatch.setenv("WANDB_SWEEP_ID", "sweep1")
    report_figures(replace(tracking, mode="disabled"), {"test mrr@10": 0.5})
    assert list(tmp_path.iterdir()) == []
    report_figures(tracking, {"test mrr@10": 0.5})
    wandb.teardown()  # its own process writes the file
    (file,) = tmp_path.glob("wandb/offline-run-*-reserved2/*.wandb")
    assert summary_of(file)["final/test mrr@10"] == 0.5


def test_the_run_of_a_training_gets_the_figures_measured_after_it(tmp_path: Path) -> None:
    import wandb

    tracking = WandbSettings(mode="offline", directory=tmp_path, agents_stage="rank")
    with run_kept_open():
        for stage in ("pretrain", "rank"):
            logger = begin_run(stage=stage, name=stage, tracking=tracking, config={})
            assert logger is not None
            logger.log_metrics({"dev/mrr@10": 0.25}, step=1)
            end_run(stage=stage, tracking=tracking)
            assert (wandb.run is None) == (stage == "pretrain")
        report_figures(tracking, {"test mrr@10": 0.5})
    assert wandb.run is None
    report_figures(tracking, {"test mrr@10": 0.75})  # found: nothing was trained
    wandb.teardown()  # its own process writes the file
    found = [summary_of(file) for file in sorted(tmp_path.glob("wandb/offline-run-*/*.wandb"))]
    assert [one.get("final/test mrr@10") for one in found].count(0.5) == 1
    assert len(found) == 2
