"""The reader on real data sets, where they lie beside the checkout."""

import os
from pathlib import Path

import pytest

from ltrgr.corpus.beir import read_beir

BESIDE = Path(__file__).parents[3] / "shared" / "data"
DATA = Path(os.environ.get("LTRGR_DATA", BESIDE))

pytestmark = pytest.mark.data


@pytest.mark.parametrize(
    ("name", "passages", "train", "dev", "test"),
    [("squad-mini", 2067, 8423, 1053, 1053), ("scifact", 5183, 729, 80, 300)],
)
def test_counts_of_a_real_data_set(
    name: str, passages: int, train: int, dev: int, test: int
) -> None:
    if not (DATA / name).is_dir():
        pytest.skip(f"no {name} in {DATA}; set LTRGR_DATA to the folder that holds it")
    corpus = read_beir(path=DATA / name)
    assert len(corpus.passages) == passages
    assert [len(s.queries) for s in (corpus.train, corpus.dev, corpus.test)] == [train, dev, test]
    dev_and_test = {q.text.lower() for split in (corpus.dev, corpus.test) for q in split.queries}
    borrowed = {text.lower() for passage in corpus.passages for text in passage.pseudo_queries}
    assert borrowed
    assert not borrowed & dev_and_test
