"""ltrgr: learning to rank in generative retrieval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ltrgr.lazy import lazy_names

if TYPE_CHECKING:
    from ltrgr.retrieval.retriever import Retriever

__version__ = "0.1.0"
__all__ = ["Retriever", "__version__"]

__getattr__ = lazy_names(__name__, {"Retriever": "ltrgr.retrieval.retriever"})
