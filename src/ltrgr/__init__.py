"""ltrgr: learning to rank in generative retrieval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ltrgr.retrieval.retriever import Retriever

__version__ = "0.1.0"
__all__ = ["Retriever", "__version__"]


def __getattr__(name: str) -> Any:
    # Lazy, so that `ltrgr --help` does not wait for torch.
    if name == "Retriever":
        from ltrgr.retrieval.retriever import Retriever

        return Retriever
    raise AttributeError(f"module 'ltrgr' has no attribute {name!r}")
