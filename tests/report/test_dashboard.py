"""The W&B workspace as code: what it shows, and what is said where it cannot be saved."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

DASHBOARD = Path(__file__).parents[2] / "experiments" / "dashboard.py"


@pytest.fixture
def dashboard() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dashboard", DASHBOARD)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_without_a_key_it_says_how_to_get_one(
    dashboard: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    assert dashboard.main(["--entity", "me"]) == 2
    printed = capsys.readouterr().err
    assert "found no WANDB_API_KEY" in printed
    assert "ltrgr report" in printed


def test_without_the_package_it_says_what_to_install(
    dashboard: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "x")
    monkeypatch.setitem(sys.modules, "wandb_workspaces", None)
    monkeypatch.delitem(sys.modules, "wandb_workspaces.workspaces", raising=False)
    monkeypatch.delitem(sys.modules, "wandb_workspaces.reports.v2", raising=False)
    assert dashboard.main(["--entity", "me"]) == 2
    assert "pip install wandb-workspaces" in capsys.readouterr().err


def test_the_workspace_has_every_view(dashboard: ModuleType) -> None:
    pytest.importorskip("wandb_workspaces", reason="pip install wandb-workspaces")
    built = dashboard.workspace(entity="me", project="ltrgr", name="N")
    assert [section.name for section in built.sections] == [
        "Dev", "Loss by component", "Score scale", "Sweep", "Cost of a step", "Stage 1",
    ]  # fmt: skip
    lines = [panel for s in built.sections for panel in s.panels if isinstance(panel.title, str)]
    titles = {panel.title for panel in lines}
    assert {"dev/mrr@10", "train/rank1", "train/generation_loss"} <= titles
    (scale,) = built.sections[2].panels
    assert scale.y == ["train/score_positive", "train/score_negative", "train/one_key_score"]
