"""Search command: answers questions in the terminal."""

from __future__ import annotations

import pkgutil
import re
import shlex
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.utils import instantiate
from omegaconf import DictConfig
from rich.console import Console

from ltrgr.cli.assembly import assemble
from ltrgr.cli.search_request import SearchRequestError, asked_questions, expect_request
from ltrgr.errors import LtrgrError
from ltrgr.pipeline.pipeline import Pipeline
from ltrgr.report.console import plain, styled
from ltrgr.report.hit_list import print_hits
from ltrgr.retrieval.retriever import Retriever

REQUEST = {"questions", "retriever", "functions", "k", "identifiers_shown", "system", "train"}
"""keys of a search that no other command has"""


class NotReadyError(LtrgrError):
    """A search without a trained model or without an index."""


def answer(cfg: DictConfig, *, console: Console) -> None:
    """Print the hits of each question of ``cfg``.

    Raises:
        NotReadyError: the model of the config is not trained, or its index is gone, and ``train``
            is false.
    """
    expect_request(cfg)
    questions = asked_questions(cfg)
    retriever = _of_config(cfg) if cfg.retriever is None else _given(cfg, console=console)
    _tell_cut(questions, retriever, console=console)
    retriever.search(questions[:1], k=cfg.k)  # compiled code is loaded before the clock starts
    start = time.perf_counter()
    answers = retriever.search(questions, k=cfg.k)
    seconds = time.perf_counter() - start
    for question, hits in zip(questions, answers, strict=True):
        print_hits(question, hits, console=console, identifiers=cfg.identifiers_shown)
    console.print(plain(f"{seconds / len(answers):.3f} s per question, after a first one", "dim"))


def _of_config(cfg: DictConfig) -> Retriever:
    """The model of the composed config, which is trained here only where ``train`` says so."""
    pipeline = assemble(cfg)
    if not cfg.train:
        _expect_ready(pipeline, str(cfg.system))
    return pipeline.open(cfg.system)


def _expect_ready(pipeline: Pipeline, system: str) -> None:
    """Whether there is nothing to train and nothing to build, each of which may take hours."""
    settings = shlex.join(_task_overrides(without=REQUEST))
    model, index = pipeline.model_artefact(system), pipeline.indexed
    if (problem := model.problem()) is not None:
        command = f"ltrgr {model.stage} {settings}".strip()
        raise NotReadyError(
            f"no trained model at {model.directory} ({problem}); train it with: {command} "
            "(or with train=true here), or give another one with retriever=DIR"
        )
    if (problem := index.problem()) is not None:
        command = f"ltrgr {index.stage} {settings}".strip()
        raise NotReadyError(
            f"no index at {index.directory} ({problem}); build it with: {command} "
            "(or with train=true here)"
        )


def _given(cfg: DictConfig, *, console: Console) -> Retriever:
    """The finished retriever that the user named."""
    _tell_unheard(console=console)
    overrides = _task_overrides(without=())
    threads_given = any(override.startswith("compute.threads=") for override in overrides)
    compute = instantiate(cfg.compute)
    return Retriever.from_pretrained(
        Path(str(cfg.retriever)),
        device=compute.device,
        functions=[_function(str(name)) for name in cfg.functions],
        threads=compute.threads if threads_given else None,  # else its own
    )


def _function(name: str) -> Callable[..., Any]:
    """A function that the user named on the command line: ``module:name`` or ``module.name``."""
    try:
        found = pkgutil.resolve_name(name)
    except (ImportError, AttributeError, ValueError) as error:
        raise SearchRequestError(
            f"functions: cannot import {name!r} ({error}); expected module:name, with the folder "
            "of the module on PYTHONPATH"
        ) from error
    if not callable(found):
        raise SearchRequestError(f"functions: {name!r} is a {type(found).__name__}, no function")
    return found


def _tell_unheard(*, console: Console) -> None:
    """Tell which overrides a finished retriever does not look at: it searches as it was saved."""
    heard = REQUEST - {"system", "train"} | {"compute", "root", "wandb"}
    if unheard := _task_overrides(without=heard):
        console.print(
            plain(
                f"retriever=... searches as it was saved, without {' '.join(unheard)}; these "
                "work where `retriever` is left out",
                "yellow",
            ),
            soft_wrap=True,
        )


def _tell_cut(questions: list[str], retriever: Retriever, *, console: Console) -> None:
    """Tell which questions are longer than what the model reads of them."""
    longest = retriever.decoding.max_question_length
    for question, ids in zip(questions, retriever.vocabulary.encode(questions), strict=True):
        if len(ids) > longest:
            told = (
                f"{len(ids)} tokens; the model reads the first {longest} "
                "(decoding.max_question_length) of:"
            )
            console.print(styled((told, "yellow"), f" {question[:60]}..."), soft_wrap=True)


def _task_overrides(*, without: Iterable[str]) -> list[str]:
    """The overrides of this job, but those of the sections or keys ``without``."""
    left_out = set(without)
    return [
        str(override)
        for override in HydraConfig.get().overrides.task
        if re.split(r"[.=@]", override.lstrip("+~"), maxsplit=1)[0] not in left_out
    ]
