"""A retriever computes with its own number of threads, and the caller keeps theirs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from ltrgr.corpus.records import Corpus
from ltrgr.errors import RetrieverError
from ltrgr.retrieval.retriever import Retriever

CALLER = 3


@pytest.fixture(autouse=True)
def callers_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(CALLER)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def seen(retriever: Retriever) -> Iterator[list[int]]:
    """The number of threads at each forward pass of the encoder."""
    found: list[int] = []
    hook = retriever.model.get_encoder().register_forward_hook(
        lambda *_: found.append(torch.get_num_threads())
    )
    yield found
    hook.remove()


@pytest.mark.parametrize(("given", "used"), [(None, 1), (2, 2)])
def test_the_model_has_the_retriever_s_threads(
    retriever: Retriever, seen: list[int], corpus: Corpus, given: int | None, used: int
) -> None:
    retriever.with_(threads=given).search(corpus.dev.queries[0].text)
    assert set(seen) == {used}
    assert torch.get_num_threads() == CALLER


def test_between_two_batches_the_caller_has_their_own(
    retriever: Retriever, seen: list[int], corpus: Corpus
) -> None:
    texts = [query.text for query in corpus.dev.queries]
    during = [torch.get_num_threads() for _ in retriever.retrieve(texts * 2, k=3)]
    assert during == [CALLER] * len(during)
    assert len(during) > 1
    assert set(seen) == {1}


def test_an_error_of_the_model_gives_the_threads_back(retriever: Retriever) -> None:
    def fail(*_: object) -> None:
        assert torch.get_num_threads() == 1
        raise RuntimeError("out of memory")

    hook = retriever.model.get_encoder().register_forward_pre_hook(fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        retriever.search("who wrote it?")
    hook.remove()
    assert torch.get_num_threads() == CALLER


def test_the_number_is_saved_and_can_be_replaced(retriever: Retriever, tmp_path: Path) -> None:
    index = str(retriever.index_directory)
    retriever.with_(threads=2).save(tmp_path, index=index)
    assert Retriever.from_pretrained(tmp_path).threads == 2
    assert Retriever.from_pretrained(tmp_path, threads=4).threads == 4
    described = json.loads((tmp_path / "retriever.json").read_text())
    del described["threads"]  # as an earlier version wrote it
    (tmp_path / "retriever.json").write_text(json.dumps(described))
    assert Retriever.from_pretrained(tmp_path).threads == 1


def test_a_saved_number_that_cannot_be_is_refused(retriever: Retriever, tmp_path: Path) -> None:
    retriever.save(tmp_path, index=str(retriever.index_directory))
    described = json.loads((tmp_path / "retriever.json").read_text())
    (tmp_path / "retriever.json").write_text(json.dumps(described | {"threads": "many"}))
    with pytest.raises(RetrieverError, match=r"retriever\.json is damaged: it has threads='many'"):
        Retriever.from_pretrained(tmp_path)


@pytest.mark.parametrize("threads", [0, -1, 1.5])
def test_a_number_that_cannot_be_is_refused(retriever: Retriever, threads: float) -> None:
    with pytest.raises(RetrieverError, match=f"threads={threads}: expected 1 or more"):
        retriever.with_(threads=threads)  # type: ignore[arg-type]
