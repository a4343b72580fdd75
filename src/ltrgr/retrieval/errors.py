"""The error of this room."""

from __future__ import annotations


class RetrieverError(ValueError):
    """A retriever cannot be opened, or a question or setting is invalid."""
