"""The demo's stage 1, as it is configured, learns to copy names on every seed."""

from pathlib import Path

import pytest

from ltrgr.cli.main import main
from ltrgr.pipeline.generation_check import LEAST, Validation

TITLES, SPANS = 0.5, LEAST
"""Least shares of whole titles and of whole spans (all ten tokens right). Runs that never learn to
copy end below 0.05; those of experiments/main_table at 0.67 to 0.70 and at 0.30 to 0.37."""


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_copying_is_learnt(seed: int, tmp_path: Path) -> None:
    command = [
        "pretrain",
        "identifiers=seal",
        f"seed={seed}",
        f"root={tmp_path}",
        "compute.threads=1",
    ]
    assert main([*command, "wandb.mode=disabled", "compute.progress=false"]) == 0
    (model,) = (tmp_path / "pretrain").glob("*/validation.json")
    found = Validation.load(model.parent)
    assert found is not None
    assert found.figures["dev/identifier_accuracy/title"] > TITLES
    assert found.figures["dev/identifier_accuracy/body"] > SPANS
