"""The numbers that the settings of losses and samplers may have."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le

Weight = Annotated[float, Ge(0)]
Positive = Annotated[float, Gt(0)]
Fraction = Annotated[float, Ge(0), Le(1)]
Number = Annotated[int, Ge(1), Le(10_000)]
Unit = Literal["score", "one_key"]
