"""Full scores of one question's candidates in one shard (compiled)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltrgr.compiled import njit
from ltrgr.index.any_index import span_of_passage
from ltrgr.scoring.search.candidate_generation import Excluded
from ltrgr.scoring.search.exact_score import Found, Marks, Rules, count_passage
from ltrgr.scoring.search.key_occurrences import find_keys
from ltrgr.scoring.search.key_trie import clear_trie, fill_trie
from ltrgr.scoring.search.ranked_keys import RankedKeys
from ltrgr.scoring.search.top_k import Lists, Scored, enter
from ltrgr.scoring.search.workspace import Workspace


@njit(cache=True, nogil=True)
def score_candidates(
    ranked: RankedKeys,
    arrays: Any,
    excluded: Excluded,
    rules: Rules,
    question: int,
    chosen: NDArray[np.int32],
    first: tuple[int, int],
    workspace: Workspace,
    stamp: int,
    lists: Lists,
) -> None:
    """Score the candidates in full and enter them into the rank list of the question.

    Args:
        chosen: [n] candidates, n >= 1: passage numbers within the shard, ascending.
        first: the shard's first passage and first token, as numbers of the corpus.
        stamp: the call uses the stamps ``stamp + 1`` to ``stamp + n``, which must be unused.
    """
    begins, stops = np.empty(chosen.size, np.int64), np.empty(chosen.size, np.int64)
    for i in range(chosen.size):
        begins[i], stops[i] = span_of_passage(arrays, chosen[i])
    longest = (stops - begins).max()
    n_found = longest * fill_trie(workspace.trie, ranked, question)
    found = Found(
        np.empty(longest, np.int32),
        workspace.present,
        workspace.head,
        np.empty(n_found, np.int32),
        np.empty(n_found, np.int32),
    )
    marks = Marks(np.zeros(longest, np.int64), workspace.token_marks)
    scores, ends = np.empty(chosen.size), np.empty(chosen.size, np.int64)
    used = 0
    for i in range(chosen.size):
        find_keys(
            arrays, workspace.trie, ranked, excluded, question, chosen[i],
            begins[i], stops[i], found,
        )  # fmt: skip
        scores[i], used = count_passage(
            ranked, rules, question, found, marks, stamp + 1 + i, workspace.counted, used
        )
        ends[i] = used
    clear_trie(workspace.trie, ranked, question)
    passages = (chosen + first[0]).astype(np.int32)
    enter(lists, question, Scored(passages, begins + first[1], scores, ends, workspace.counted))
