"""Damages of a file, and the readers of a finished pipeline with what each of them makes of one."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import pickle
import re
import shutil
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console

from ltrgr.cli.artefact_map import artefact_map
from ltrgr.cli.doctor import artefacts
from ltrgr.corpus.records import Corpus
from ltrgr.errors import LtrgrError
from ltrgr.pipeline.pipeline import Pipeline
from ltrgr.report.page.page import write_page
from ltrgr.report.page.runs import Runs
from ltrgr.retrieval.retriever import Retriever
from tiny_pipeline import pipeline

RIGHT, REBUILT, TOLD = "right", "rebuilt", "one clear line"
GOOD = {RIGHT, REBUILT, TOLD}


class Planted:
    """Touches a file where somebody unpickles it."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, str]]:
        return open, (str(self.mark), "w")


def _planted(path: Path, mark: Path) -> bytes:
    """A pickle in the form that a reader of such a file may accept."""
    buffer = io.BytesIO()
    if path.suffix == ".npy":
        np.save(buffer, np.asarray([Planted(mark)], dtype=object), allow_pickle=True)
    elif path.suffix == ".ckpt":
        torch.save({"state_dict": Planted(mark)}, buffer)
    else:
        buffer.write(pickle.dumps(Planted(mark)))
    return buffer.getvalue()


def _flipped(content: bytes, place: float) -> bytes:
    at = min(int(place * len(content)), len(content) - 1)
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :] if content else b"\1"


def _random(content: bytes) -> bytes:
    return np.random.default_rng(len(content)).bytes(len(content))


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _written(change: Callable[[bytes], bytes]) -> Callable[[Path, Path], object]:
    return lambda path, mark: path.write_bytes(change(path.read_bytes()))


DAMAGES: dict[str, Callable[[Path, Path], object]] = {
    "truncated to 0": _written(lambda content: b""),
    "truncated to half": _written(lambda content: content[: len(content) // 2]),
    **{
        f"bit flipped at {place:.0%}": _written(lambda c, place=place: _flipped(c, place))  # type: ignore[misc]
        for place in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    },
    "random bytes": _written(_random),
    "JSON null": _written(lambda content: b"null"),
    "JSON []": _written(lambda content: b"[]"),
    "JSON {}": _written(lambda content: b"{}"),
    "pickle": lambda path, mark: path.write_bytes(_planted(path, mark)),
    "made a directory": lambda path, mark: _folder(path),
    "deleted": lambda path, mark: path.unlink(),
}
"""name -> damages a file in place; ``mark`` is the file that must not come to be"""


def read_report(root: Path, _: Corpus) -> tuple[object, bool]:
    """The figures of the page, and whether it names damage."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        page = write_page(root, root.parent / "r.html", title="T", samples=20)
    text = page.read_text(encoding="utf-8")
    return hashlib.sha256(text.encode()).hexdigest(), bool(Runs.load(root).damaged)


def read_doctor(root: Path, _: Corpus) -> tuple[object, bool]:
    """The map of artefacts and their counts."""
    out = io.StringIO()
    console = Console(file=out, width=200)
    console.print(artefact_map(root, usual={}) or "")
    for finding in artefacts(root):
        console.print(finding.name, finding.value, finding.problem, markup=False)
    told = re.sub(r"[\d.]+ MB|\d+ (s|min|h|d) old|[│├└─]", "", out.getvalue())
    lines = sorted(line.strip() for line in told.splitlines())  # the oldest comes first
    return lines, any(
        word in told for word in ("broken", "damaged", "another format", "has changed")
    )


def read_search(root: Path, corpus: Corpus) -> tuple[object, bool]:
    """The hits of a retriever that is opened by its folder."""
    opened = Retriever.from_pretrained(the_folder(root, "rank"))
    hits = opened.search([query.text for query in corpus.dev.queries[:4]], k=5)
    return [[(h.passage, h.score, h.matches) for h in found] for found in hits], False


def read_evaluation(root: Path, corpus: Corpus) -> tuple[object, bool]:
    """The figures of an evaluation that is done."""
    return _figures(pipeline(root, corpus).evaluate("rank")), False


def evaluate_again(root: Path, corpus: Corpus) -> tuple[object, bool]:
    """The figures and the run of an evaluation that is done anew."""
    run = pipeline(root, corpus)
    shutil.rmtree(_evaluation(run), ignore_errors=True)
    found = run.evaluate("rank")
    return (_figures(found), (found / "run.trec").read_bytes()), False


def rank_again(root: Path, corpus: Corpus) -> tuple[object, bool]:
    """The weights of a stage 2 that is trained anew on what is there."""
    run = pipeline(root, corpus)
    shutil.rmtree(run.ranked.directory, ignore_errors=True)
    model = run.rank() / "model" / "model.safetensors"
    return hashlib.sha256(model.read_bytes()).hexdigest(), False


def resume(root: Path, corpus: Corpus) -> tuple[object, bool]:
    """The weights of a stage 2 that goes on from its checkpoint."""
    model = pipeline(root, corpus).rank() / "model" / "model.safetensors"
    return hashlib.sha256(model.read_bytes()).hexdigest(), False


Reader = Callable[[Path, Corpus], tuple[object, bool]]
QUICK: dict[str, Reader] = {
    "search": read_search,
    "evaluation found": read_evaluation,
    "doctor": read_doctor,
}
SLOW: dict[str, Reader] = {
    "report": read_report,
    "evaluate": evaluate_again,
    "rank": rank_again,
}
READERS = QUICK | SLOW


def the_folder(root: Path, stage: str) -> Path:
    """The artefact of a stage that has one."""
    (found,) = (root / stage).glob("?" * 12)
    return found


def _evaluation(run: Pipeline) -> Path:
    return run._evaluated("rank").directory


def _figures(directory: Path) -> dict[str, Any]:
    found = json.loads((directory / "metrics.json").read_text())
    return {name: value for name, value in found.items() if "seconds" not in name}


@dataclass(frozen=True)
class World:
    """A finished pipeline, and the place where damaged copies of it are read."""

    whole: Path
    root: Path
    corpus: Corpus

    def files(self) -> list[str]:
        """Every file but the locks, which are empty."""
        paths = [path for path in sorted(self.whole.rglob("*")) if path.is_file()]
        return [str(p.relative_to(self.whole)) for p in paths if p.suffix != ".lock"]

    def fresh(self) -> None:
        """Put an undamaged copy in place."""
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self.whole, self.root)

    def right(self, reader: str, read: Reader) -> object:
        """What a reader finds where nothing is damaged."""
        self.fresh()
        found, damaged = read(self.root, self.corpus)
        assert not damaged, reader
        return found

    def outcome(self, name: str, damage: str, *, read: Reader, right: object) -> str:
        """What comes of reading a copy with one damaged file: one of ``GOOD``, or the defect."""
        self.fresh()
        mark = self.root.parent / "ran"
        DAMAGES[damage](self.root / name, mark)
        try:
            found, damaged = read(self.root, self.corpus)
        except LtrgrError as error:
            found, damaged = str(error), True
            if "\n" in str(error):
                return f"several lines: {error}"
        except Exception as error:  # the defect that is looked for
            logging.getLogger(__name__).exception("%s %s", name, damage)
            return f"traceback: {type(error).__name__}: {error}"
        finally:
            if mark.exists():
                mark.unlink()
                return "foreign code ran"  # noqa: B012
        if found == right:
            return REBUILT if list(self.root.glob("*/*.broken-*")) else RIGHT
        return TOLD if damaged else "wrong without a word"
