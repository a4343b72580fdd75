"""A trainer is one process, whatever the variables of a scheduler say."""

from __future__ import annotations

from pathlib import Path

import pytest

from ltrgr.pipeline.settings import ComputeSettings
from ltrgr.pipeline.trainer import make_trainer


def test_slurm_tasks_do_not_disturb_a_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = {"SLURM_NTASKS": "4", "SLURM_JOB_NAME": "job", "SLURM_JOB_ID": "1", "SLURM_PROCID": "0"}
    for name, value in tasks.items():
        monkeypatch.setenv(name, value)
    trainer = make_trainer(
        directory=tmp_path,
        steps=1,
        precision="32-true",
        gradient_clip_val=1.0,
        compute=ComputeSettings(accelerator="cpu", progress=False),
        logger=[],
        callbacks=[],
        val_check_interval=None,
        description="",
        seed=0,
    )
    assert (trainer.world_size, trainer.num_nodes, trainer.global_rank) == (1, 1, 0)
