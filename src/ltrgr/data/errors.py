"""The error of this room."""

from __future__ import annotations


class TrainingDataError(ValueError):
    """There is nothing to learn from."""
