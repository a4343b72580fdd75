"""From Hydra's config to the typed pipeline: the only place below which no DictConfig goes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from hydra.utils import instantiate
from omegaconf import DictConfig

from ltrgr.pipeline.catalogue import NO_CORPUS
from ltrgr.pipeline.memory import keep_freed_memory
from ltrgr.pipeline.pipeline import Pipeline
from ltrgr.pipeline.seeding import fix_threads

SECTIONS = {
    "corpus": "corpus",
    "family": "identifiers",
    "scoring": "scoring",
    "decoding": "decoding",
    "indexing": "index",
    "pretraining": "pretrain",
    "mining": "mine",
    "ranking": "rank",
    "evaluation": "evaluation",
    "compute": "compute",
    "tracking": "wandb",
}
"""part of the pipeline -> section of the config"""


def assemble(cfg: DictConfig, *, name: str = "LTRGR", corpus: Any = None) -> Pipeline:
    """Build everything that ``cfg`` names; ``corpus`` is passed where it is read already."""
    keep_freed_memory()
    parts = {
        part: instantiate(cfg[section], _convert_="all")
        for part, section in SECTIONS.items()
        if part != "corpus"
    }
    fix_threads(parts["compute"])  # a search that trains nothing keeps to it, too
    if parts["tracking"].group is None:
        parts["tracking"] = replace(parts["tracking"], group=_sweep())
    if HydraConfig.initialized():
        stage = str(HydraConfig.get().job.config_name)
        parts["tracking"] = replace(parts["tracking"], agents_stage=stage)
    backbone = instantiate(cfg.model.backbone, _convert_="all")
    pipeline = Pipeline(
        root=Path(cfg.root), corpus=NO_CORPUS, backbone=backbone, name=name, **parts
    )
    if corpus is None:  # read at last: settings that do not fit must not cost its minutes
        corpus = instantiate(cfg.corpus, _convert_="all")
    return replace(pipeline, corpus=corpus)


def _sweep() -> str | None:
    """The jobs of one ``-m`` share a W&B group, named after the sweep's folder."""
    if not HydraConfig.initialized() or HydraConfig.get().mode != RunMode.MULTIRUN:
        return None
    return f"sweep {Path(HydraConfig.get().sweep.dir).name}"
