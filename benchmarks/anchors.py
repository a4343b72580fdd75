"""Earlier measurements and targets; docs/speed.md explains them.

SEAL's figures are from another 2-core machine, on English reviews in 156-token passages:
3.0 M tokens (c3) and 100 M tokens, partly resampled (c100).
"""

from __future__ import annotations

from dataclasses import dataclass

BORDER = 17e6
"""tokens; geometrically between the two"""


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """Figures at c3 and c100, in the row's unit; None where there is none."""

    seal: tuple[float, float] | None = None
    prototype: tuple[float, float] | None = None
    target: tuple[float, float] | None = None
    more_is_better: bool = False


def at(pair: tuple[float, float] | None, n_tokens: int) -> float | None:
    """The figure of the corpus nearer in size."""
    return None if pair is None else pair[n_tokens > BORDER]


ANCHORS = {
    "build/tokens per second": Anchor(
        seal=(3.0 / 2.7, 100 / 167),
        prototype=(3.0 / 0.4, 100 / 25),
        target=(3.0, 3.0),
        more_is_better=True,
    ),
    "build/peak": Anchor(target=(30, 30)),
    "build/disk": Anchor(seal=(3.13, 3.13)),
    "build/open": Anchor(target=(50, 50)),
    "build/open, cold": Anchor(target=(50, 50)),
    "steps/locate": Anchor(seal=(41, 114), prototype=(0.04, 0.04)),
    "steps/passage text": Anchor(seal=(380, 785), prototype=(2.8, 3.4)),
    "decoding/20x15 index part": Anchor(seal=(389, 979), prototype=(2.8, 3.9), target=(4, 8)),
    "decoding/20x15 with top-k": Anchor(seal=(1131, 1508), prototype=(10.1, 13.4)),
    "decoding/20x15 bart-base shape: constraint's share": Anchor(target=(5, 5)),
    "scoring/without unigrams": Anchor(seal=(585, 1547), prototype=(4.3, 7.6), target=(5.85, 15.5)),
    "scoring/with unigrams": Anchor(seal=(1020, 1786), prototype=(9.6, 12.6), target=(6, 12)),
    "mining/end to end": Anchor(more_is_better=True),
}
