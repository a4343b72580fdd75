"""What ``${name:...}`` means in our configs beyond OmegaConf's own."""

from __future__ import annotations

from pathlib import Path

from omegaconf import OmegaConf


def register_resolvers() -> None:
    """``${checkpoint:package,folder}``: the checkpoint that an installed package carries;
    ``${if_there:path}``: the path, or null where there is no such file.
    """
    OmegaConf.register_new_resolver("checkpoint", _checkpoint, replace=True)
    OmegaConf.register_new_resolver("if_there", _if_there, replace=True)


def _checkpoint(package: str, folder: str) -> str:
    from ltrgr.models.pretrained import packaged_checkpoint

    return packaged_checkpoint(package, folder)


def _if_there(path: str) -> str | None:
    return path if Path(path).is_file() else None
