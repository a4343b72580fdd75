"""The error of this room."""

from __future__ import annotations


class ModelError(ValueError):
    """A checkpoint is missing or of the wrong kind."""
