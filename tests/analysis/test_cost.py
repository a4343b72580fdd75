from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ltrgr.analysis.cost import ratio
from ltrgr.report.cost_figure import cost_figure


def test_the_ratio_is_taken_turn_by_turn() -> None:
    before = np.array([1.0, 10.0, 100.0])  # questions of unlike length
    found = ratio(before * [1.1, 1.2, 1.3], before, seed=0)
    assert found["median"] == pytest.approx(1.2)
    assert (found["low"], found["high"]) == (pytest.approx(1.1), pytest.approx(1.3))


@pytest.mark.parametrize(("after", "before"), [([], []), ([1.0], [1.0, 2.0])])
def test_turns_that_do_not_match(after: list[float], before: list[float]) -> None:
    with pytest.raises(ValueError, match="expected as many"):
        ratio(np.array(after), np.array(before), seed=0)


def test_a_point_of_the_figure_is_one_turn_before_and_after() -> None:
    before = {"seconds": [0.1, 0.2], "keys": [30.0, 31.0]}
    after = {"seconds": [0.11, 0.19], "keys": [32.0, 29.0]}
    milliseconds, keys = cost_figure({"systems": {"pretrain": before, "rank": after}}).axes
    np.testing.assert_allclose(points(milliseconds), [[100, 110], [200, 190]])
    np.testing.assert_allclose(points(keys), [[30, 32], [31, 29]])
    # the diagonal spans both systems
    np.testing.assert_allclose(milliseconds.lines[0].get_xydata(), [[100, 100], [200, 200]])
    np.testing.assert_allclose(keys.lines[0].get_xydata(), [[29, 29], [32, 32]])


def points(axes: Any) -> Any:
    return axes.collections[0].get_offsets()
