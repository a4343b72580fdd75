"""Threads of torch: set while a model computes, set back whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from ltrgr.errors import RetrieverError
from ltrgr.models.threads import SMALL, expect_threads, threads_for, torch_threads


@pytest.fixture(autouse=True)
def three() -> Iterator[None]:
    """A number that no default and no test sets."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def test_the_number_holds_inside_and_not_outside() -> None:
    with torch_threads(2):
        assert torch.get_num_threads() == 2
        with torch_threads(1):
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    assert torch.get_num_threads() == 3


def test_none_keeps_the_number_and_undoes_what_the_block_sets() -> None:
    with torch_threads(None):
        assert torch.get_num_threads() == 3
        torch.set_num_threads(1)
    assert torch.get_num_threads() == 3


def test_an_error_does_not_leave_the_number_behind() -> None:
    with pytest.raises(RuntimeError, match="broken"), torch_threads(1):
        raise RuntimeError("broken")
    assert torch.get_num_threads() == 3


@pytest.mark.parametrize(("width", "threads"), [(10, 1), (SMALL, None)])
def test_only_a_small_model_gets_one_thread(width: int, threads: int | None) -> None:
    model = torch.nn.Linear(width, 1, bias=False, device="meta").to_empty(device="cpu")
    assert threads_for(model) == threads


@pytest.mark.parametrize("threads", [0, -1, 1.0, True, "2"])
def test_a_number_of_threads_is_a_whole_number(threads: Any) -> None:
    with pytest.raises(RetrieverError, match=r"threads=.*: expected 1 or more"):
        expect_threads(threads)
    assert (expect_threads(None), expect_threads(3)) == (None, 3)
