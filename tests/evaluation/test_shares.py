"""Running shares of right answers."""

import math

import pytest
import torch

from ltrgr.evaluation.shares import Shares


def flags(*values: int) -> torch.Tensor:
    return torch.tensor(values).bool()


def test_only_what_is_asked_counts_over_all_batches() -> None:
    shares = Shares(["title", "body", "query"])
    shares.update({"title": (flags(1, 1, 0), flags(1, 0, 1)), "body": (flags(1), flags(1))})
    shares.update({"title": (flags(1, 1), flags(1, 1))})
    found = shares.compute()
    assert float(found["title"]) == 0.75  # 3 of the 4 that were asked
    assert float(found["body"]) == 1.0
    assert math.isnan(float(found["query"]))
    shares.reset()
    assert math.isnan(float(shares.compute()["title"]))


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ValueError, match=r"found \['titel'\], expected some of \['title'\]"):
        Shares(["title"]).update({"titel": (flags(1), flags(1))})
