"""From a question to its passages: the retriever, what it finds, and rank lists mined with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ltrgr.lazy import lazy_names

if TYPE_CHECKING:
    from ltrgr.retrieval.hits import FoundBy, Hit
    from ltrgr.retrieval.retriever import Retriever
    from ltrgr.retrieval.settings import Decoding

__all__ = ["Decoding", "FoundBy", "Hit", "Retriever"]

__getattr__ = lazy_names(
    __name__,
    {
        "Decoding": "ltrgr.retrieval.settings",
        "FoundBy": "ltrgr.retrieval.hits",
        "Hit": "ltrgr.retrieval.hits",
        "Retriever": "ltrgr.retrieval.retriever",
    },
)
