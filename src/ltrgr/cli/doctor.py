"""Doctor: what is installed, where things lie, what is cached, and how to fix what is wrong."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ltrgr.corpus.kept import FOLDER
from ltrgr.errors import LtrgrError
from ltrgr.finished import changed_files, size_fault
from ltrgr.index import storage as index_storage
from ltrgr.json_file import UnreadableFileError, state_of
from ltrgr.pipeline import generation_check
from ltrgr.pipeline.artefact import read_object
from ltrgr.pipeline.environment import package_versions, threads
from ltrgr.pipeline.processor import described
from ltrgr.pipeline.tracking import has_key
from ltrgr.report.console import SafeConsole, plain

OPTIONAL = {"wandb", "bm25s", "matplotlib"}
"""Packages without which part of the work is still possible."""

VERSIONS = {"index": index_storage.VERSION}
"""Format of the stages whose files have changed theirs; that of the others is 1."""


class NotUsableError(LtrgrError):
    """The installation cannot do its work; the message lists the problems."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the report."""

    name: str
    value: str
    problem: str = ""
    """What is wrong and the command that fixes it; empty when all is well."""
    fatal: bool = True


def doctor(
    *,
    root: Path,
    conf: Path,
    data: Sequence[Path] = (),
    wandb_mode: str | None = None,
    free_gb: float = 2.0,
    console: Console | None = None,
) -> None:
    """Print the report.

    Args:
        root: where artefacts are cached.
        conf: the primary config directory.
        data: folders or files that corpora are read from.
        wandb_mode: ``auto``, ``online``, ``offline`` or ``disabled``; None reads ``WANDB_MODE``.
        free_gb: least free disk under ``root``, in GB.

    Raises:
        NotUsableError: something that every run needs is missing; says which and how to fix it.
    """
    findings = [
        *versions(),
        device(),
        Finding(name="cpu", value=described()),
        numba_cache(),
        config(conf),
        *(path_finding(path) for path in data),
        disk(root, least=free_gb),
        wandb(wandb_mode),
        *artefacts(root),
    ]
    console = console or SafeConsole()
    console.print(_table(findings))
    fatal = [f"{f.name}: {f.problem}" for f in findings if f.problem and f.fatal]
    if fatal:
        raise NotUsableError("\n".join([f"{len(fatal)} problem(s) to fix:", *fatal]))


def versions() -> list[Finding]:
    """Return Python's and every package's version."""
    python = platform.python_version()
    old = "" if sys.version_info >= (3, 11) else "needs 3.11: make .venv PYTHON=python3.11"
    found = [Finding(name="python", value=python, problem=old)]
    for name, version in package_versions().items():
        missing = "" if version else f"not installed; run: pip install {name}"
        fatal = name not in OPTIONAL
        found.append(Finding(name=name, value=version or "-", problem=missing, fatal=fatal))
    return found


def device() -> Finding:
    """Return the accelerators that torch sees and the CPU's threads."""
    try:
        import torch
    except ImportError as error:
        cure = f"torch does not import ({error}); run: pip install 'torch>=2.6,<2.14'"
        return Finding(name="device", value="-", problem=cure)
    count = threads()
    cpu = f"cpu ({count['cores']} cores, {count['torch']} torch threads)"
    cards = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return Finding(name="device", value=", ".join([*cards, cpu]))


def numba_cache() -> Finding:
    """Compile a function with ``cache=True`` and see where numba could keep it."""
    cure = "cannot keep compiled code; run: export NUMBA_CACHE_DIR=~/.cache/numba"
    try:
        from ltrgr.compiled import njit

        compiled = njit(cache=True)(_one_more)
        compiled(1)
        stats = compiled.stats
    except (ImportError, RuntimeError, OSError) as error:
        return Finding(name="numba cache", value="-", problem=f"{cure} ({error})", fatal=False)
    if stats.cache_path is None:
        return Finding(name="numba cache", value="-", problem=cure, fatal=False)
    where = Path(stats.cache_path)
    kept = bool(stats.cache_hits) or any(where.glob("doctor._one_more*"))
    return Finding(name="numba cache", value=str(where), problem="" if kept else cure, fatal=False)


def _one_more(x: int) -> int:
    return x + 1


def config(conf: Path) -> Finding:
    """Return where the configs lie and how many there are."""
    count = len(list(conf.rglob("*.yaml")))
    cure = (
        "" if count else "no configs there; run, in the checkout: pip install --force-reinstall ."
    )
    return Finding(name="configs", value=f"{conf} ({count} files)", problem=cure)


def path_finding(path: Path) -> Finding:
    """Return whether a data path is there."""
    cure = "" if path.exists() else "not found; give another with corpus.path=..."
    return Finding(name="data", value=str(path), problem=cure, fatal=False)


def disk(root: Path, *, least: float) -> Finding:
    """Return the free space under ``root`` and whether it can be written to."""
    existing = next(p for p in (root.absolute(), *root.absolute().parents) if p.exists())
    free = shutil.disk_usage(existing).free / 1e9
    problem = ""
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        problem = f"{existing} cannot be written to; give another folder with root=..."
    elif free < least:
        problem = f"less than {least:g} GB; free some, or give another folder with root=..."
    return Finding(name="disk free", value=f"{free:.1f} GB at {existing}", problem=problem)


def wandb(mode: str | None) -> Finding:
    """Return wandb's mode; without a key ``online`` would stop a run to ask for one."""
    key = has_key()
    mode = mode or os.environ.get("WANDB_MODE") or "auto"
    if mode == "auto":
        mode = "online" if key else "offline"
    cure = "" if mode != "online" or key else "no key; run: wandb login, or use wandb.mode=offline"
    return Finding(name="wandb", value=mode, problem=cure, fatal=False)


def artefacts(root: Path) -> list[Finding]:
    """Return, for each stage under ``root``, what is cached, its size, and what is left over."""
    if not root.is_dir():
        return [Finding(name="cached", value=f"nothing yet at {root}")]
    stages = sorted(p for p in root.iterdir() if p.is_dir() and p.name != FOLDER)
    found = [finding for stage in stages if (finding := _stage(stage)) is not None]
    found += [
        Finding(name="stage-1 model", value=path.name, problem=problem, fatal=False)
        for path in sorted((root / "pretrain").glob("*"))
        if ".broken-" not in path.name and (problem := _complaint(path))
    ]
    return found or [Finding(name="cached", value=f"nothing yet at {root}")]


def _complaint(model: Path) -> str:
    """What is wrong with a finished stage-1 model; empty for nothing, and for other artefacts."""
    if _is_unreadable(model) or _version(model, "pretrain") is None:
        return ""
    done = read_object(model / "DONE.json") or {}
    for name, why in changed_files(model, done, among=[generation_check.FILE]):
        return f"{model / name} has changed since it was written: {why}"
    return generation_check.complaint_about(model)


def _stage(stage: Path) -> Finding | None:
    try:
        entries = [path for path in stage.iterdir() if path.is_dir()]
    except OSError as error:
        problem = f"{stage} cannot be read ({error.strerror})"
        return Finding(name=f"cached {stage.name}", value="-", problem=problem, fatal=False)
    closed = [path for path in entries if _is_unreadable(path)]
    entries = [path for path in entries if path not in closed]
    left = [path for path in entries if ".broken-" in path.name]
    partial = [path for path in entries if path.name.endswith(".partial")]
    whole = {p: _version(p, stage.name) for p in entries if p not in (*left, *partial)}
    done = [path for path, version in whole.items() if version == VERSIONS.get(stage.name, 1)]
    old = [path for path, version in whole.items() if version is not None and path not in done]
    damaged = [path for path, version in whole.items() if version is None and _is_ours(path)]
    if not (left or partial or done or old or closed or damaged):
        return None
    value = f"{len(done)} done ({_size(done)})"
    if old:
        value += f", {len(old)} of another format ({_size(old)}; built again when it is next used)"
    if partial:
        value += f", {len(partial)} begun ({_size(partial)}; the same command goes on)"
    if left:
        value += f", {len(left)} broken ({_size(left)})"
    problems = [f"remove the broken: rm -r {stage}/*.broken-*"] if left else []
    if damaged:
        value += f", {len(damaged)} damaged ({_size(damaged)})"
        named = ", ".join(f"{path.name} ({_fault(path, stage.name)})" for path in damaged)
        problems.append(f"damaged, moved aside and made again when next used: {named}")
    if closed:
        value += f", {len(closed)} that cannot be read"
        problems.append(f"make readable: {' '.join(str(path) for path in closed)}")
    problem = "; ".join(problems)
    return Finding(name=f"cached {stage.name}", value=value, problem=problem, fatal=False)


def _is_unreadable(path: Path) -> bool:
    try:
        read_object(path / "DONE.json")
    except UnreadableFileError:
        return True
    return False


def _is_ours(path: Path) -> bool:
    """Whether a folder looks like an artefact: named by a fingerprint, or with a ``DONE.json``."""
    named = re.fullmatch(r"[0-9a-f]{12}", path.name) is not None
    return named or state_of(path / "DONE.json") is not None


def _version(path: Path, stage: str) -> int | None:
    """The format version of a complete artefact of this stage; None where it is none."""
    done = read_object(path / "DONE.json")
    return done["version"] if done and not _fault(path, stage) else None


def _fault(path: Path, stage: str) -> str:
    """Why a folder is no complete artefact of this stage; empty where it is one."""
    done = read_object(path / "DONE.json")
    if done is None:
        return "no usable DONE.json"
    if done.get("stage") != stage:
        return "its DONE.json is of another stage"
    return size_fault(path, done.get("files")) or ""


def _size(folders: Iterable[Path]) -> str:
    total = sum(f.stat().st_size for folder in folders for f in folder.rglob("*") if f.is_file())
    return f"{total / 1e6:.1f} MB"


def _table(findings: Sequence[Finding]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("", "what", "found"):
        table.add_column(column, overflow="fold")
    for finding in findings:
        sign = "ok" if not finding.problem else "!!" if finding.fatal else "!"
        table.add_row(sign, plain(finding.name), plain(finding.value))
        if finding.problem:
            table.add_row("", "", plain(finding.problem, "yellow"))
    return table
