"""ListMLE: arithmetic by hand, the independent library rax."""

from __future__ import annotations

from math import exp, log

import pytest
from graded_lists import ALL, GRADES, SCORES, drawn_grades, ours

from ltrgr.losses import listmle, position_aware_listmle


def test_listmle_by_hand() -> None:
    # by grade, ties in list order: scores 3, 2, 1, 4
    surprise = (
        log(exp(3) + exp(2) + exp(1) + exp(4)) - 3,
        log(exp(2) + exp(1) + exp(4)) - 2,
        log(exp(1) + exp(4)) - 1,
        0.0,
    )
    assert listmle(SCORES, GRADES, ALL).item() == pytest.approx(sum(surprise) / 4)
    aware = position_aware_listmle(SCORES, GRADES, ALL)
    assert aware.item() == pytest.approx(
        (7 * surprise[0] + 3 * surprise[1] + 1 * surprise[2]) / (7 + 3 + 1)
    )


@pytest.mark.parametrize("seed", range(5))
def test_listmle_against_rax(seed: int) -> None:
    rax = pytest.importorskip("rax", reason="make test-parity")
    scores, grades, mask = draw = drawn_grades(seed)
    mle = rax.listmle_loss(scores / 0.8, grades, where=mask)
    assert ours(listmle, draw, temperature=0.8) == pytest.approx(float(mle) / mask.sum(), rel=1e-5)
