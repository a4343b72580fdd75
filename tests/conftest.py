"""Worlds that several rooms' tests share, each built once a session."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

# With --doctest-modules pytest would import both under the one name "conftest".
collect_ignore = ["conftest.py", "cli/conftest.py"]

if TYPE_CHECKING:  # the lower rooms' tests start without these
    from ltrgr.corpus.records import Corpus
    from ltrgr.retrieval.retriever import Retriever


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Sums depend on the number of threads, and two test processes would fight for the cores."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def no_foreign_log_handlers() -> Iterator[None]:
    """Hydra's handlers write to the stream of the test that ran it, which is closed afterwards."""
    yield
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if type(handler) in (logging.StreamHandler, logging.FileHandler):
            root.removeHandler(handler)
            handler.close()


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    from tiny_world import tiny_corpus

    return tiny_corpus()


@pytest.fixture(scope="session")
def minder_index(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tiny_world import MINDER, index_of

    return index_of(tmp_path_factory.mktemp("minder"), MINDER, corpus)


@pytest.fixture(scope="session")
def random_model(minder_index: Path) -> Any:
    """A random BART in evaluation mode; never trained in place."""
    import torch

    from ltrgr.pipeline.index_stage import open_vocabulary
    from tiny_world import MINDER, awake, tiny_backbone

    torch.manual_seed(0)
    return awake(tiny_backbone().make_network(open_vocabulary(minder_index, MINDER)))


@pytest.fixture(scope="session")
def trained_model(minder_index: Path, corpus: Corpus, random_model: Any) -> Any:
    """The same BART after a few seconds of stage 1; never trained in place."""
    from copy import deepcopy

    from tiny_world import MINDER, sampler_of, train_a_little

    sampler = sampler_of(minder_index, MINDER, corpus)
    return train_a_little(deepcopy(random_model), sampler, steps=300)


@pytest.fixture
def retriever(minder_index: Path, trained_model: Any) -> Retriever:
    """MINDER over the tiny corpus."""
    from ltrgr.decoding.decoding_settings import DecodingSettings
    from ltrgr.pipeline.index_stage import open_vocabulary
    from ltrgr.retrieval.retriever import Retriever
    from ltrgr.scoring.scoring_settings import ScoringSettings
    from tiny_world import MINDER

    return Retriever(
        model=trained_model,
        vocabulary=open_vocabulary(minder_index, MINDER),
        index_directory=minder_index,
        scoring=ScoringSettings(),
        decoding=DecodingSettings(num_beams=5, batch_size=16),
    )
