"""Errors of an index on disk, or of the corpus that it is built from."""

from __future__ import annotations


class IndexFormatError(ValueError):
    """The index or its input is invalid; the message gives the command that repairs it."""


class BuildTooLargeError(IndexFormatError):
    """A build needs more memory or disk than is free; the message names a size that fits."""
