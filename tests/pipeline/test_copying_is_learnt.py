"""The demo's stage 1, as it is configured, learns to copy names on every seed."""

from pathlib import Path

import pytest

from ltrgr.cli.main import main
from ltrgr.pipeline.generating import LEAST, Validation

<<<<<<< HEAD
TITLES, SPANS = 0.5, 0.2
"""Least shares of whole titles and of whole spans. Runs that never learn to copy end below 0.05;
those of experiments/main_table, over seeds, precisions and threads, at 0.67 to 0.70 and at 0.30 to
0.37."""
=======
TITLES, SPANS = 0.5, LEAST
"""Of titles: after 800 and 1,600 steps 0.67 and 0.69 are right. Of spans all ten tokens must be:
0.25 and 0.34, so the bound is that of `generates`. The old initial weights gave 0.01 and 0.00 after
400 steps. SEAL, one run each."""
>>>>>>> h-watch


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
