"""From Hydra's config to the typed road: the only place below which no DictConfig goes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig

from ltrgr.pipeline.road import Road

SECTIONS = {
    "corpus": "corpus",
    "family": "identifiers",
    "scoring": "scoring",
    "decoding": "decoding",
    "pretraining": "pretrain",
    "mining": "mine",
    "ranking": "rank",
    "evaluation": "evaluation",
    "compute": "compute",
    "tracking": "wandb",
}
"""part of the road -> section of the config"""


def assemble(cfg: DictConfig, *, name: str = "LTRGR", corpus: Any = None) -> Road:
    """Build everything that ``cfg`` names; ``corpus`` is passed where it is read already."""
    parts = {
        part: instantiate(cfg[section], _convert_="all")
        for part, section in SECTIONS.items()
        if part != "corpus" or corpus is None
    }
    if corpus is not None:
        parts["corpus"] = corpus
    backbone = instantiate(cfg.model.backbone, _convert_="all")
    return Road(root=Path(cfg.root), backbone=backbone, name=name, **parts)
