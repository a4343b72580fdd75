from __future__ import annotations

import numpy as np
import pytest

from ltrgr.analysis.cost import ratio
from ltrgr.report.cost_picture import cost_picture


def test_the_ratio_is_taken_turn_by_turn() -> None:
    before = np.array([1.0, 10.0, 100.0])  # questions of unlike length
    found = ratio(before * [1.1, 1.2, 1.3], before, seed=0)
    assert found["median"] == pytest.approx(1.2)
    assert (found["low"], found["high"]) == (pytest.approx(1.1), pytest.approx(1.3))


@pytest.mark.parametrize(("after", "before"), [([], []), ([1.0], [1.0, 2.0])])
def test_turns_that_do_not_match(after: list[float], before: list[float]) -> None:
    with pytest.raises(ValueError, match="expected as many"):
        ratio(np.array(after), np.array(before), seed=0)


def test_the_picture() -> None:
    turns = {"seconds": [0.1, 0.2], "keys": [30.0, 31.0]}
    assert cost_picture({"systems": {"pretrain": turns, "rank": turns}}).startswith(b"\x89PNG")
