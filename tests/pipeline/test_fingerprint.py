from __future__ import annotations

import hashlib
import math
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ltrgr.pipeline.fingerprint import (
    FingerprintError,
    as_yaml,
    canonical,
    canonical_json,
    difference,
    fingerprint,
)


def test_canonical_json_is_sorted_and_fingerprint_is_its_sha256() -> None:
    text = '{"a":[1,2.5,"é"],"b":{"c":null,"d":true}}'
    value = {"b": {"d": True, "c": None}, "a": (1, 2.5, "é")}
    assert canonical_json(value) == text
    assert fingerprint(value) == hashlib.sha256(text.encode()).hexdigest()


def test_values_that_mean_the_same_share_a_fingerprint() -> None:
    plain = {"margin": 500, "lr": 1e-5, "path": "a/b", "ks": [1, 2]}
    typed = {"ks": (1, 2), "path": Path("a/b"), "lr": np.float64(1e-5), "margin": 500.0}
    assert fingerprint(plain) == fingerprint(typed)
    assert canonical_json({"n": np.int32(3)}) == '{"n":3}'


@pytest.mark.parametrize("other", [{"x": True}, {"x": 2}, {"x": "1"}, {"y": 1}, {"x": [1]}])
def test_values_that_differ_have_other_fingerprints(other: dict[str, object]) -> None:
    assert fingerprint({"x": 1}) != fingerprint(other)


def test_an_unknown_type_is_named_with_its_place() -> None:
    with pytest.raises(FingerprintError, match=r"inputs\.a\.b\[1\] is a set"):
        fingerprint({"a": {"b": [0, {1}]}})
    with pytest.raises(FingerprintError, match="key 3"):
        fingerprint({3: 1})


def test_difference_lists_changed_missing_and_added_keys() -> None:
    a = {"loss": {"margin": 1.0, "kind": "margin"}, "old": [1]}
    b = {"loss": {"margin": 2, "kind": "margin"}, "new": None}
    assert difference(a, b) == [
        "loss.margin: 1 -> 2",
        "new: (absent) -> null",
        "old: [1] -> (absent)",
    ]
    assert difference(a, a) == []


words = st.text(alphabet="ab1 :#-'\"\\\n\t{[&*!|>%@é~.", max_size=6)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), words)
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["lr", "yes", "a b", "é", "1"]), trees))
def test_yaml_is_read_back_by_an_ordinary_reader(value: dict[str, object]) -> None:
    value = canonical(value)
    assert yaml.safe_load(as_yaml(value)) == (value or None)


def test_yaml_floats_survive_yaml_1_1() -> None:
    loaded = yaml.safe_load(as_yaml({"a": 1e-05, "b": math.inf, "c": -math.inf, "d": 1.5e300}))
    assert loaded == {"a": 1e-05, "b": math.inf, "c": -math.inf, "d": 1.5e300}
