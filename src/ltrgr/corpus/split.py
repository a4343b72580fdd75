"""Choosing and checking the splits of a corpus."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping

from ltrgr.corpus.records import Split
from ltrgr.errors import CorpusError

_DEV_SHARE, _MOST_DEV = 0.1, 1000


def hold_out_dev(train: Split) -> tuple[Split, Split]:
    """Split train into (train, dev): 10 % of the queries, at most 1,000, become dev.

    Raises CorpusError if there are fewer than two queries.
    """
    if len(train.queries) < 2:
        raise CorpusError(
            f"found {len(train.queries)} training query, expected at least 2 to hold dev out of: "
            "set corpus.dev to the name of a qrels file"
        )
    number = min(_MOST_DEV, max(1, round(len(train.queries) * _DEV_SHARE)))
    chosen = _choose_ids(train, number)
    rest = {query.id for query in train.queries} - chosen
    return _keep(train, rest), _keep(train, chosen)


def choose_queries(split: Split, *, most: int) -> Split:
    """``split`` with at most ``most`` queries.

    Raises CorpusError unless ``most`` is positive.
    """
    if most < 1:
        raise CorpusError(
            f"found max_test_queries={most}, expected at least 1: "
            "set corpus.max_test_queries=null for all"
        )
    return split if len(split.queries) <= most else _keep(split, _choose_ids(split, most))


def check_disjoint(splits: Mapping[str, Split]) -> None:
    """Raise CorpusError if a query is in two splits, for example after a bad conversion.

    Training must not see a query of dev or test.
    """
    owner: dict[str, str] = {}
    for name, split in splits.items():
        for query in split.queries:
            if owner.setdefault(query.id, name) != name:
                raise CorpusError(
                    f"found query {query.id!r} in the splits {owner[query.id]} and {name}, "
                    f"expected it in one: delete its lines from one of the two qrels files"
                )


def _choose_ids(split: Split, number: int) -> set[str]:
    """The ids with the smallest hashes: a random choice, independent of the order of the files."""
    ids = [query.id for query in split.queries]
    return set(sorted(ids, key=lambda i: hashlib.sha256(i.encode()).digest())[:number])


def _keep(split: Split, ids: Collection[str]) -> Split:
    kept = tuple(query for query in split.queries if query.id in ids)
    return Split(kept, {query.id: split.qrels[query.id] for query in kept})
