"""The environment of a run: what must be known to understand a number a year later."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = (
    "ltrgr",
    "torch",
    "pytorch-lightning",
    "transformers",
    "tokenizers",
    "hydra-core",
    "omegaconf",
    "numpy",
    "numba",
    "PySAIS",
    "bm25s",
    "ir-measures",
    "torchmetrics",
    "wandb",
    "matplotlib",
    "rich",
)


def environment(*, seed: int | None = None) -> dict[str, Any]:
    """Return what ``environment.json`` holds: versions, platform, commit, seed, threads, time.

    Imports nothing heavy: torch's threads and devices are written only where torch is loaded.
    """
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": platform.machine(),
        "packages": package_versions(),
        "git": git_state(),
        "seed": seed,
        "threads": threads(),
        "device": device(),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }


@cache
def _versions() -> tuple[tuple[str, str | None], ...]:
    return tuple((name, _version(name)) for name in PACKAGES)


def package_versions() -> dict[str, str | None]:
    """Return the installed version of every package in ``PACKAGES``; None where it is absent."""
    return dict(_versions())


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def threads() -> dict[str, int | None]:
    """Return the CPU cores this process may use and torch's threads (None before its import)."""
    torch = sys.modules.get("torch")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"cores": cores, "torch": None if torch is None else torch.get_num_threads()}


def device() -> str:
    """Return the accelerator's name, or ``cpu``; ``unknown`` before torch is imported."""
    torch = sys.modules.get("torch")
    if torch is None:
        return "unknown"
    return str(torch.cuda.get_device_name()) if torch.cuda.is_available() else "cpu"


@cache
def git_state() -> dict[str, Any] | None:
    """Return the checkout's commit and whether it has changes; None for an installed wheel."""
    checkout = Path(__file__).resolve().parents[3]
    if not (checkout / "pyproject.toml").is_file() or not (checkout / ".git").exists():
        return None
    commit = _git(checkout, "rev-parse", "HEAD")
    status = _git(checkout, "status", "--porcelain")
    return {"commit": commit, "dirty": None if status is None else bool(status)}


def _git(checkout: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(checkout), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
