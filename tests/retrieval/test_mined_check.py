"""Mined lists that could not have been mined are refused, with the array and the cure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ltrgr.corpus.records import Corpus
from ltrgr.json_file import MissingFileError
from ltrgr.retrieval.mined import MinedLists
from ltrgr.retrieval.mined_check import MinedListsError
from ltrgr.retrieval.retriever import Retriever
from mined_lists import mine_some

Change = Callable[[Any], Any]


def put(value: Any) -> Change:
    def change(array: Any) -> Any:
        array[(0,) * array.ndim] = value
        return array

    return change


@pytest.fixture
def mined(retriever: Retriever, corpus: Corpus) -> MinedLists:
    return mine_some(retriever, corpus, questions=4, k=3)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("score", put(np.nan), "score is not finite"),
        ("score", put(-np.inf), "score is not finite"),
        ("score", lambda a: a[:, :2], r"score has the shape \(4, 2\); expected \(4, 3\)"),
        ("passage", put(10_000), r"passage is not within \[-1, "),
        ("passage", put(-2), r"passage is not within \[-1, "),
        ("question", put(10_000), r"question is not within \[0, "),
        ("question", put(-1), r"question is not within \[0, "),
        ("coverage", put(np.nan), "coverage is not finite"),
        ("key_index", put(10_000), "key_index names a key that the question does not have"),
        ("key_index", put(-2), "key_index names a key that the question does not have"),
        ("keys_log_probability", put(np.nan), "keys_log_probability is not a number"),
        ("keys_lo", put(2**40), "keys_lo and keys_hi are no ranges"),
        ("keys_tokens", put(-5), "keys_tokens or keys_view is negative"),
        ("keys_token_offsets", put(3), "keys_token_offsets does not count"),
        ("keys_question_offsets", lambda a: a[:-1], "keys_question_offsets does not count"),
        ("keys_hi", lambda a: a[:-1], "are not of [0-9]+ keys"),
    ],
)
def test_what_cannot_be_is_refused(
    mined: MinedLists, corpus: Corpus, tmp_path: Path, name: str, change: Change, message: str
) -> None:
    mined.save(tmp_path)
    size = {"passages": len(corpus.passages), "questions": len(corpus.train.queries)}
    assert len(MinedLists.load(tmp_path, **size)) == 4
    np.save(tmp_path / f"{name}.npy", change(np.load(tmp_path / f"{name}.npy")))
    with pytest.raises(MinedListsError, match=f"{message}.*; remove {tmp_path} and mine again"):
        MinedLists.load(tmp_path, **size)


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY\x01\x00", b"no array at all" * 20])
def test_a_file_that_is_no_array_is_refused(
    mined: MinedLists, tmp_path: Path, content: bytes
) -> None:
    mined.save(tmp_path)
    (tmp_path / "score.npy").write_bytes(content)
    with pytest.raises(MinedListsError, match=r"score\.npy is no array .* ltrgr mine"):
        MinedLists.load(tmp_path)
    (tmp_path / "score.npy").unlink()
    with pytest.raises(MissingFileError, match=r"score\.npy is missing; remove"):
        MinedLists.load(tmp_path)
