"""Keys of several shards: refused, until rank lists of shards are merged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_world import build, make_keys

from ltrgr.scoring.passages import score_passages
from ltrgr.scoring.settings import Scoring


def test_keys_of_two_shards_are_refused() -> None:
    index = build([[2, 3, 1]], 4)
    keys = make_keys([[[2]]], index)
    two = replace(keys, lo=np.repeat(keys.lo, 2, axis=1), hi=np.repeat(keys.hi, 2, axis=1))
    with pytest.raises(ValueError, match=r"an index of 2 shards.*unsharded"):
        score_passages(two, np.ones(1), index, settings=Scoring(), marker=np.arange(4) == 1, k=1)
