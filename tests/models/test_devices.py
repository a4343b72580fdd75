from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ltrgr.errors import RetrieverError
from ltrgr.models.devices import expect_device
from ltrgr.pipeline.settings import ComputeSettings, SettingsError
from ltrgr.retrieval.retriever import Retriever


@pytest.fixture
def two_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)


@pytest.fixture
def no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.mark.usefixtures("two_cards")
def test_a_device_that_torch_sees_is_taken() -> None:
    for name in ("cpu", "cuda", "cuda:1"):
        assert expect_device(name) == expect_device(torch.device(name)) == torch.device(name)


@pytest.mark.usefixtures("two_cards")
@pytest.mark.parametrize("name", ["cuda:2", "gpu", "meta", "", "cuda:-1", "xpu", 1.5, None])
def test_another_one_is_refused_with_those_that_there_are(name: str) -> None:
    with pytest.raises(RetrieverError, match="expected cpu or cuda:0 or cuda:1"):
        expect_device(name)


@pytest.mark.usefixtures("no_card")
def test_a_retriever_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(RetrieverError, match="device='cuda': torch sees no such device; expected"):
        Retriever.from_pretrained(tmp_path / "nowhere", device="cuda")


@pytest.mark.usefixtures("two_cards")
def test_the_accelerator_names_the_device() -> None:
    devices = {name: ComputeSettings(accelerator=name).device for name in ("auto", "gpu", "cpu")}
    assert devices == {"auto": "cuda", "gpu": "cuda", "cpu": "cpu"}


@pytest.mark.usefixtures("no_card")
def test_an_accelerator_that_is_not_there_is_refused() -> None:
    assert ComputeSettings().device == ComputeSettings(accelerator="cpu").device == "cpu"
    for name in ("gpu", "cuda"):
        with pytest.raises(SettingsError, match=f"accelerator={name}: torch sees no CUDA device"):
            _ = ComputeSettings(accelerator=name).device
