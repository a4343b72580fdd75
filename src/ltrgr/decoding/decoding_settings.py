"""Settings of the search."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Ge, Le

from ltrgr.typed import Length, expect_fields

NumBeams = Annotated[int, Ge(1), Le(1000)]
BatchSize = Annotated[int, Ge(1), Le(10_000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodingSettings:
    """Settings of key generation.

    Args:
        num_beams: hypotheses kept per question and view.
        batch_size: questions decoded together; it does not change results.
        max_question_length: the model reads this number of tokens of a question, from its begin.

    Raises:
        SettingsError: a setting is no whole number from 1 to its limit.
    """

    num_beams: NumBeams = 15
    batch_size: BatchSize = field(default=32, metadata={"not_identity": True})
    max_question_length: Length = 64

    def __post_init__(self) -> None:
        expect_fields("decoding", self)
