"""What ``${name:...}`` means in our configs beyond OmegaConf's own."""

from __future__ import annotations

from omegaconf import OmegaConf


def register_resolvers() -> None:
    """``${checkpoint:package,folder}``: the checkpoint that an installed package carries."""
    OmegaConf.register_new_resolver("checkpoint", _checkpoint, replace=True)


def _checkpoint(package: str, folder: str) -> str:
    from ltrgr.models.pretrained import packaged_checkpoint

    return packaged_checkpoint(package, folder)
