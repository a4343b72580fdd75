"""A saved retriever that is damaged, foreign, or names a function: one line, and nothing runs."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from ltrgr.cli.main import main
from ltrgr.corpus.records import Corpus
from ltrgr.decoding.decoding_settings import DecodingSettings
from ltrgr.errors import LtrgrError, RetrieverError
from ltrgr.identifiers.functions import ForeignFunctionError
from ltrgr.json_file import UnreadableFileError
from ltrgr.models.pretrained import ModelError
from ltrgr.retrieval.description import Description
from ltrgr.retrieval.retriever import Retriever
from ltrgr.scoring.scoring_settings import ScoringSettings
from ltrgr.typed import StoredSettingError

IDEAS = """
def saturating(gain):
    return 10 * gain / (1 + gain / 10)
"""


@pytest.fixture(scope="module")
def whole(minder_index: Path, trained_model: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from ltrgr.pipeline.index_stage import open_vocabulary
    from tiny_world import MINDER

    directory = tmp_path_factory.mktemp("saved") / "model"
    directory.mkdir()
    Retriever(
        model=trained_model,
        vocabulary=open_vocabulary(minder_index, MINDER),
        index_directory=minder_index,
        scoring=ScoringSettings(),
        decoding=DecodingSettings(num_beams=4),
    ).save(directory, index=os.path.relpath(minder_index, directory))
    return directory


@pytest.fixture
def saved(whole: Path, tmp_path: Path, minder_index: Path) -> Path:
    directory = Path(shutil.copytree(whole, tmp_path / "model"))
    change(directory, index=os.path.relpath(minder_index, directory))
    return directory


def change(directory: Path, **changes: Any) -> None:
    path = directory / "retriever.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_planted_transform_is_refused_and_not_imported(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "planted.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    change(saved, scoring={"transform": "planted:anything"})
    with pytest.raises(ForeignFunctionError, match=r"retriever\.json names .*'planted:anything'"):
        Retriever.from_pretrained(saved)
    told = ["search", "who ran", f"retriever={saved}", f"root={tmp_path / 'runs'}"]
    assert main(told) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "functions=[planted:anything]" in error
    assert not (tmp_path / "ran").exists()


def test_a_transform_of_one_s_own_comes_back_when_it_is_named(
    saved: Path,
    tmp_path: Path,
    corpus: Corpus,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "my_own_ideas.py").write_text(IDEAS)
    monkeypatch.syspath_prepend(str(tmp_path))
    from my_own_ideas import saturating  # type: ignore[import-not-found]

    change(saved, scoring={"transform": "my_own_ideas:saturating"})
    opened = Retriever.from_pretrained(saved, functions=[saturating])
    assert opened.scoring == ScoringSettings(transform=saturating)
    again = Retriever.from_pretrained(saved, scoring=ScoringSettings(transform=saturating))
    questions = [corpus.dev.queries[0].text]
    assert opened.search(questions, k=3) == again.search(questions, k=3)
    best = opened.search(questions, k=1)[0][0]
    told = ["search", *questions, f"retriever={saved}", f"root={tmp_path / 'runs'}", "k=1"]
    for name in ("my_own_ideas:saturating", "my_own_ideas.saturating"):
        assert main([*told, f"functions=[{name}]"]) == 0
        assert f"{best.score:.1f}" in capsys.readouterr().out
    assert main([*told, "functions=[my_own_ideas:gone]"]) == 2
    assert "cannot import 'my_own_ideas:gone'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"decoding": {"num_beams": 1_000_000}}, r"decoding\.num_beams=1000000: .* 1 to 1,000$"),
        ({"decoding": {"num_beams": 2.5}}, r"decoding\.num_beams=2\.5: expected a whole number"),
        ({"decoding": {"num_beams": True}}, r"decoding\.num_beams=true: expected a whole number"),
        ({"decoding": {"batch_size": 10**9}}, r"decoding\.batch_size=1000000000: expected"),
        ({"decoding": {"max_question_length": 10**9}}, r"decoding\.max_question_length="),
        ({"decoding": {"width": 3}}, r"decoding\.width is no setting .* num_beams, batch_size"),
        ({"decoding": [15]}, r"has no 'decoding' of its kind"),
        ({"scoring": {"exponent": "2"}}, r"scoring\.exponent='2': expected a finite"),
        ({"scoring": {"exponent": float("nan")}}, r"scoring\.exponent=nan: expected a"),
        ({"scoring": {"candidates": 10**12}}, r"scoring\.candidates=1000000000000: expected"),
        ({"scoring": {"view_weights": {"title": "x"}}}, r"scoring\.view_weights\.title='x': exp"),
        ({"scoring": None}, r"has no 'scoring' of its kind"),
        ({"views": {}}, r"views: a family needs at least one view"),
        ({"views": {"title": 3}}, r"views\.title is a int; expected an object"),
        ({"views": {"title": {"prompt": "<t>"}}}, r"views\.title: .*max_new_tokens"),
        ({"index": 7}, r"has no 'index' of its kind"),
        ({"index": "a\0b"}, r"is no path"),
    ],
)  # fmt: skip
def test_a_setting_of_a_file_is_checked(saved: Path, changes: dict[str, Any], found: str) -> None:
    change(saved, **changes)
    with pytest.raises(LtrgrError, match=found) as caught:
        Retriever.from_pretrained(saved)
    assert "retriever.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_limits_hold_without_a_file_too() -> None:
    with pytest.raises(ValueError, match=r"decoding\.num_beams=1001: expected"):
        DecodingSettings(num_beams=1001)
    assert DecodingSettings(num_beams=1000).num_beams == 1000


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"index": "../index"', "[" * 100_000])
def test_a_damaged_description_is_named(saved: Path, text: str) -> None:
    (saved / "retriever.json").write_text(text)
    with pytest.raises(LtrgrError, match=r"retriever\.json is .*`ltrgr pretrain`"):
        Retriever.from_pretrained(saved)


def cut(name: str, size: int) -> Callable[[Path], object]:
    return lambda d: (d / name).write_bytes((d / name).read_bytes()[:size])


def write(name: str, text: str) -> Callable[[Path], object]:
    return lambda d: (d / name).write_text(text)


def without_a_weight(directory: Path) -> None:
    path = directory / "model" / "model.safetensors"
    weights = load_file(path)
    weights.pop("model.decoder.layers.0.fc1.weight")
    save_file(weights, path, metadata={"format": "pt"})


def other_width(directory: Path) -> None:
    path = directory / "model" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"d_model": 64}))


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (cut("model/model.safetensors", 0), "model holds no usable .*header"),
        (cut("model/model.safetensors", 5000), "model holds no usable .*header"),
        (cut("model/config.json", 40), "model holds no usable .*config.json"),
        (write("model/config.json", "[]"), "model holds no usable .*model_type"),
        (write("model/config.json", "null"), "model holds no usable"),
        (write("model/config.json", '{"model_type": "gpt2"}'), "model holds no usable"),
        (lambda d: (d / "model/config.json").unlink(), "model holds no usable"),
        (lambda d: (d / "model/model.safetensors").unlink(), "no file named model.safetensors"),
        (lambda d: shutil.rmtree(d / "model"), "model holds no usable"),
        (without_a_weight, "lacks 1 weights, such as model.decoder.layers.0.fc1.weight"),
        (other_width, "do not have the shapes that its config.json says"),
        (cut("tokenizer/tokenizer.json", 50), "tokenizer holds no usable"),
        (write("tokenizer/tokenizer.json", "{}"), "tokenizer holds no usable"),
        (write("tokenizer/tokenizer_config.json", "[]"), "tokenizer holds no usable"),
        (write("tokenizer/tokenizer_config.json", "{}"), "names no pad_token"),
    ],
)  # fmt: skip
def test_a_damaged_model_folder_is_named(
    saved: Path, damage: Callable[[Path], object], found: str
) -> None:
    damage(saved)
    with pytest.raises(ModelError, match=found) as caught:
        Retriever.from_pretrained(saved)
    assert "\n" not in str(caught.value)
    assert str(saved) in str(caught.value)


def test_a_model_of_another_index_is_refused(saved: Path, corpus: Corpus, tmp_path: Path) -> None:
    from tiny_world import SEAL, index_of

    change(saved, index=os.path.relpath(index_of(tmp_path / "seal", SEAL, corpus), saved))
    with pytest.raises(RetrieverError, match=r"do not belong together: 506, 506 and 504 tokens"):
        Retriever.from_pretrained(saved)


def test_a_model_of_another_vocabulary_is_refused(saved: Path) -> None:
    import torch

    opened = Retriever.from_pretrained(saved)
    other = Retriever.from_pretrained(saved).model
    other.set_input_embeddings(torch.nn.Embedding(9, 4))
    with pytest.raises(RetrieverError, match="do not belong together: 9, 506 and 506 tokens"):
        opened.with_(model=other)


@pytest.mark.parametrize("name", ["retriever.json", "model/config.json", "model/model.safetensors"])
def test_a_file_that_cannot_be_read_is_not_called_damaged(saved: Path, name: str) -> None:
    (saved / name).unlink()
    (saved / name).symlink_to("/proc/self/mem")  # reading it is an I/O error, for root too
    with pytest.raises(UnreadableFileError, match=rf"{name} is there and cannot be read"):
        Retriever.from_pretrained(saved)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    from tiny_world import MINDER

    described = Description(
        index="../index",
        family=MINDER,
        scoring=ScoringSettings(exponent=1, view_weights={"title": 2}, keys_per_passage=None),
        decoding=DecodingSettings(num_beams=7),
    )
    described.write(tmp_path)
    assert Description.read(tmp_path) == described
    change(tmp_path, decoding={"x": 1})
    with pytest.raises(StoredSettingError):
        Description.read(tmp_path)
