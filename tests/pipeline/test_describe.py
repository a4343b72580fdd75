"""What identifies an artefact changes with a user's code and with the files of a checkpoint."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from torch.optim import AdamW

from ltrgr.identifiers.views import Family, View
from ltrgr.losses import margin_loss
from ltrgr.models.pretrained import pretrained_encoder_decoder
from ltrgr.pipeline import contents
from ltrgr.pipeline.contents import contents_of
from ltrgr.pipeline.describe import describe
from ltrgr.pipeline.fingerprint import fingerprint
from ltrgr.pipeline.index_stage import index_artefact
from ltrgr.pipeline.source import source_of

MINE = """
from dataclasses import dataclass
from functools import wraps

def loss(scores, *, margin):
    return scores - margin

def decorated(function):
    @wraps(function)
    def inner(*args):
        return function(*args)
    return inner

@decorated
def wrapped(x):
    return x + 1

def make(alpha):
    def scaled(x):
        return alpha * x
    return scaled

class Base:
    def weight(self):
        return 1

class Callable(Base):
    def __init__(self, power):
        self.power = power
    def __call__(self, x):
        return x ** self.power

@dataclass
class Settings:
    k: int = 3
    def value(self):
        return self.k
"""

CHANGES = {
    "scores - margin": "scores + margin",
    "x + 1": "x + 2",
    "alpha * x": "alpha / x",
    "return 1": "return 2",
    "x ** self.power": "x ** -self.power",
    "return self.k": "return -self.k",
}


def load(path: Path, source: str) -> ModuleType:
    path.write_text(source)
    spec = importlib.util.spec_from_file_location("mine", path)
    assert spec is not None and spec.loader is not None
    sys.modules["mine"] = module = importlib.util.module_from_spec(spec)
    exec(compile(source, str(path), "exec"), module.__dict__)  # no cached byte code
    return module


@pytest.fixture(autouse=True)
def no_module_stays() -> Iterator[None]:
    yield
    sys.modules.pop("mine", None)


def parts_of(mine: ModuleType) -> dict[str, Any]:
    return {
        "scores - margin": partial(mine.loss, margin=2),
        "x + 1": {"f": [mine.wrapped]},
        "alpha * x": mine.make(3),
        "return 1": partial(mine.Callable, 2),
        "x ** self.power": mine.Callable(2),
        "return self.k": mine.Settings(),
    }


@pytest.mark.parametrize("old", CHANGES)
def test_another_body_is_another_fingerprint(tmp_path: Path, old: str) -> None:
    before = describe(parts_of(load(tmp_path / "mine.py", MINE))[old])
    again = describe(parts_of(load(tmp_path / "again.py", "# moved\n" + MINE))[old])
    new = MINE.replace(old, CHANGES[old])
    after = describe(parts_of(load(tmp_path / "changed.py", new))[old])
    assert fingerprint(before) == fingerprint(again)  # where it stands is no part of it
    assert fingerprint(before) != fingerprint(after)


def test_what_a_function_closes_over_and_an_object_holds_count(tmp_path: Path) -> None:
    mine = load(tmp_path / "mine.py", MINE)
    assert describe(mine.make(3)) == describe(mine.make(3)) != describe(mine.make(4))
    assert describe(mine.Callable(2)) == describe(mine.Callable(2)) != describe(mine.Callable(3))


def test_a_function_without_a_file_is_known_by_its_code() -> None:
    def typed(source: str) -> Any:
        scope: dict[str, Any] = {"__name__": "__main__"}
        exec(source, scope)
        return scope["f"]

    digests = [source_of(typed(f"def f(x):\n    return [x + {n} for _ in x]")) for n in (1, 1, 2)]
    assert digests[0] == digests[1] != digests[2]
    assert len(digests[0]) == 16


def test_our_own_functions_and_libraries_keep_their_description() -> None:
    assert describe(partial(margin_loss, margin=2)) == {
        "call": "ltrgr.losses.margin:margin",
        "margin": 2,
    }
    assert describe(partial(AdamW, lr=1.0)) == {"call": "torch.optim.adamw:AdamW", "lr": 1.0}
    assert describe(os.path.join) == {"call": "posixpath:join"}
    assert describe(len) == {"call": "builtins:len"}


def test_the_source_of_a_views_function_counts(tmp_path: Path, corpus: Any) -> None:
    names = []
    for body in ("p.title", "p.title", "p.text"):
        mine = load(tmp_path / "mine.py", f"def docid(p):\n    return {body}\n")
        view = View(prompt="p", source=mine.docid, max_new_tokens=5)
        family = Family(views={"one": view})
        backbone = type("Backbone", (), {"tokenizer": partial(len)})
        names.append(index_artefact(root=tmp_path, corpus=corpus, family=family, backbone=backbone))
    assert names[0].fingerprint == names[1].fingerprint != names[2].fingerprint
    assert names[0].inputs["views"] == names[2].inputs["views"]  # what retriever.json is read by


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    (tmp_path / "bart" / "sub").mkdir(parents=True)
    (tmp_path / "bart" / "config.json").write_text("{}")
    (tmp_path / "bart" / "sub" / "model.safetensors").write_bytes(bytes(1000))
    return tmp_path / "bart"


def test_a_checkpoint_with_other_files_is_another_one(checkpoint: Path) -> None:
    network = partial(pretrained_encoder_decoder, checkpoint=str(checkpoint))
    before = describe(network)
    assert before["checkpoint"] == str(checkpoint)
    (checkpoint / ".cache").write_text("of a downloader")
    assert describe(network) == before
    weights = checkpoint / "sub" / "model.safetensors"
    for change in (
        lambda: weights.write_bytes(b"\1" + bytes(999)),  # as long as before
        lambda: weights.rename(checkpoint / "model.safetensors"),
        (checkpoint / "config.json").unlink,
    ):
        last = describe(network)["checkpoint_files"]
        change()
        assert describe(network)["checkpoint_files"] != last


def test_a_name_of_the_hub_and_other_texts_are_no_folders(checkpoint: Path) -> None:
    given = {
        "checkpoint": "facebook/bart-base",
        "mode": "bart",
        "text": "/" + 5000 * "x",
        "n": "\0",
    }
    assert set(describe(partial(len, **given))) == {"call", *given}
    there = describe(partial(len, words=str(checkpoint / "config.json")))
    assert there["words_files"] == contents_of(checkpoint / "config.json")


def test_a_large_file_is_read_once_in_each_state(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    read: list[str] = []
    checksum = contents.checksum
    monkeypatch.setattr(contents, "SMALL", 500)
    monkeypatch.setattr(
        contents,
        "checksum",
        lambda path, cure: (read.append(path.name), checksum(path, cure=cure))[1],
    )
    first = contents_of(checkpoint)
    contents._remembered.cache_clear()  # as in another process
    assert contents_of(checkpoint) == first
    assert read == ["config.json", "model.safetensors", "config.json"]
    weights = checkpoint / "sub" / "model.safetensors"
    time = weights.stat().st_mtime_ns
    weights.write_bytes(b"\1" + bytes(999))
    os.utime(weights, ns=(time, time))  # size, inode and time of the change as before
    assert contents_of(checkpoint) != first
    assert read[-1] == "model.safetensors"
    for kept in (tmp_path / "cache" / "ltrgr" / "checksums").iterdir():
        kept.write_text("damaged")
    contents._remembered.cache_clear()
    weights.write_bytes(bytes(1000))
    assert contents_of(checkpoint) == first
