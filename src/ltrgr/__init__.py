"""ltrgr: learning to rank in generative retrieval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ltrgr.lazy import lazy_names

if TYPE_CHECKING:
    from ltrgr.cli.train import train
    from ltrgr.corpus.records import Corpus
    from ltrgr.retrieval.retriever import Retriever

__version__ = "0.1.0"
__all__ = ["Corpus", "Retriever", "__version__", "train"]

__getattr__ = lazy_names(
    __name__,
    {
        "Corpus": "ltrgr.corpus.records",
        "Retriever": "ltrgr.retrieval.retriever",
        "train": "ltrgr.cli.train",
    },
)
