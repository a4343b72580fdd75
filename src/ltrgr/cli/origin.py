"""A table's origin: corpus, questions, overrides, and what its runs were made with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from ltrgr.corpus.records import Corpus
from ltrgr.json_file import DamagedFileError, MissingFileError, read_json_object
from ltrgr.report.result_table import Origin
from ltrgr.report.verdicts import changed


def table_origin(
    cfg: DictConfig,
    *,
    corpus: Corpus,
    questions: int,
    overrides: Sequence[str],
    jobs: Iterable[Mapping[str, Any]],
    directories: Iterable[Path],
) -> Origin:
    """The origin of a table whose runs were composed as ``jobs`` and lie in ``directories``."""
    composed = [OmegaConf.create(dict(job)) for job in jobs]
    environments = [_environment(directory) for directory in directories]
    varies = {
        "seeds": _different(job.rank.seed for job in composed),
        "precisions": _different(
            f"{job.pretrain.precision}, {job.rank.precision}" for job in composed
        ),
        "threads": _different(one.get("threads", {}).get("torch") for one in environments),
        "cpus": _different(_cpu(one) for one in environments),
        "torch": _different(one.get("packages", {}).get("torch") for one in environments),
    }
    return Origin(
        corpus=corpus.name,
        checksum=corpus.checksum,
        split=cfg.evaluation.split,
        questions=questions,
        overrides=tuple(changed(overrides, [])),  # folders of this machine are no setting
        varies=varies,
    )


def _environment(directory: Path) -> dict[str, Any]:
    path = directory / "environment.json"
    try:
        return read_json_object(path, cure="")
    except (MissingFileError, DamagedFileError):
        return {}  # the table then says of fewer runs what they were made with


def _cpu(environment: Mapping[str, Any]) -> str | None:
    cpu = environment.get("cpu") or {}
    parts = [cpu.get("model"), cpu.get("family"), cpu.get("capability")]
    return ", ".join(part for part in parts if part) or None


def _different(values: Iterable[Any]) -> tuple[str, ...]:
    """Each value once, as text, in the order in which they come; None says nothing."""
    return tuple(dict.fromkeys(str(value) for value in values if value is not None))
