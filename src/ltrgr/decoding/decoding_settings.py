"""Settings of the search."""

from __future__ import annotations

from dataclasses import dataclass, field

LIMITS = {"num_beams": 1000, "batch_size": 10_000, "max_question_length": 10_000}
"""Far beyond any use; a damaged or foreign file must not ask for all memory there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodingSettings:
    """Settings of key generation.

    Args:
        num_beams: hypotheses kept per question and view.
        batch_size: questions decoded together; it does not change results.
        max_question_length: the model reads this number of tokens of a question, from its begin.

    Raises:
        ValueError: a setting is no whole number from 1 to its limit.
    """

    num_beams: int = 15
    batch_size: int = field(default=32, metadata={"not_identity": True})
    max_question_length: int = 64

    def __post_init__(self) -> None:
        for name, most in LIMITS.items():
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value <= most:
                raise ValueError(
                    f"decoding.{name}={value!r}: expected a whole number from 1 to {most:,}"
                )
