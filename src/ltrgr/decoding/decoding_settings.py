"""Settings of the search."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodingSettings:
    """Settings of key generation.

    Args:
        num_beams: hypotheses kept per question and view.
        batch_size: questions decoded together; it does not change results.
        max_question_length: the model reads this number of tokens of a question, from its begin.

    Raises:
        ValueError: a setting is below 1.
    """

    num_beams: int = 15
    batch_size: int = field(default=32, metadata={"not_identity": True})
    max_question_length: int = 64

    def __post_init__(self) -> None:
        for name in ("num_beams", "batch_size", "max_question_length"):
            if getattr(self, name) < 1:
                raise ValueError(f"decoding.{name}={getattr(self, name)}: expected 1 or more")
