"""What can be wrong with an index on disk, or with what one is built from."""

from __future__ import annotations


class IndexFormatError(ValueError):
    """The index, or its input, is not what it has to be; the message says what mends it."""


class BuildTooLargeError(IndexFormatError):
    """A build needs more memory or disk than there is; the message names what would fit."""
