"""Constrained beam search: identifiers that occur in the corpus, for a batch of questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ltrgr.lazy import lazy_names

if TYPE_CHECKING:
    from ltrgr.decoding.decoding_settings import DecodingSettings

__all__ = ["DecodingSettings"]

__getattr__ = lazy_names(__name__, {"DecodingSettings": "ltrgr.decoding.decoding_settings"})
