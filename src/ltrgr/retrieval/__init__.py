"""From a question to its passages: the retriever, what it finds, and rank lists mined with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ltrgr.lazy import lazy_names

if TYPE_CHECKING:
    from ltrgr.retrieval.hits import Hit, IdentifierMatch
    from ltrgr.retrieval.retriever import Retriever

__all__ = ["Hit", "IdentifierMatch", "Retriever"]

__getattr__ = lazy_names(
    __name__,
    {
        "IdentifierMatch": "ltrgr.retrieval.hits",
        "Hit": "ltrgr.retrieval.hits",
        "Retriever": "ltrgr.retrieval.retriever",
    },
)
