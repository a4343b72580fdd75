"""Law 3 in docs/method.md, on the demo corpus: decoded keys occur in it, in their view's place."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ltrgr.pipeline.index_stage import open_serialised

if TYPE_CHECKING:
    from ltrgr.corpus.records import Corpus
    from ltrgr.retrieval.retriever import Retriever


def test_every_key_is_a_piece_of_its_views_fields(
    retriever: Retriever, corpus: Corpus, minder_index: Path
) -> None:
    keys = retriever.keys([query.text for query in corpus.train.queries[:6]])
    serialised = open_serialised(minder_index)
    stream = serialised.tokens.tolist()
    vocabulary = retriever.vocabulary
    begins = {
        number: None if view.begin is None else vocabulary.token_id(view.begin)
        for number, view in enumerate(vocabulary.family.views.values())
    }
    whole: dict[int, set[tuple[int, ...]]] = {0: set(), 2: set()}
    for view, start, end in zip(
        serialised.field_view, serialised.field_start, serialised.field_end, strict=True
    ):
        if view in whole:  # a marked view's key begins a field, markers included
            whole[view].add(tuple(stream[start - 1 : end + 1]))
    starts = {
        view: {f[:n] for f in found for n in range(len(f) + 1)} for view, found in whole.items()
    }
    counts: dict[int, Counter[tuple[int, ...]]] = {}
    assert set(keys.view.tolist()) == {0, 1, 2}
    for i in range(len(keys.lo)):
        key = tuple(keys.tokens[keys.token_offsets[i] : keys.token_offsets[i + 1]].tolist())
        n = len(key)
        if n not in counts:
            counts[n] = Counter(zip(*(stream[j:] for j in range(n)), strict=False))
        assert keys.count[i] == counts[n][key] > 0
        view = int(keys.view[i])
        if begins[view] is None:
            assert n <= 10
            assert not retriever.vocabulary.is_marker[np.asarray(key)].any()
        else:
            assert key in starts[view]
