"""BM25, the lexical baseline, with the package bm25s."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from ltrgr.corpus.records import Passage
from ltrgr.retrieval.words import words

# Where JAX is installed, importing bm25s starts it, and JAX takes three quarters of a GPU's memory.
# Nothing here uses JAX, so it is hidden from that import.
_hidden = {name: sys.modules.get(name) for name in ("jax", "jax.lax")}
sys.modules |= dict.fromkeys(_hidden)  # type: ignore[arg-type]
import bm25s  # noqa: E402

for _name, _module in _hidden.items():
    if _module is None:
        del sys.modules[_name]
    else:
        sys.modules[_name] = _module

log = logging.getLogger(__name__)

# bm25s logs its inner steps at debug level even if the application logs at info.
logging.getLogger("bm25s").setLevel(logging.WARNING)


class BM25:
    """Okapi BM25 in Lucene's form over title and text of every passage.

        score(q, p) = sum over words w of q of
            log(1 + (N - df + 0.5) / (df + 0.5)) * tf / (tf + k1 (1 - b + b |p| / mean |p|))

    A word that occurs twice in the question counts twice. k1 = 0.9 and b = 0.4 are the defaults of
    Anserini (Yang et al. 2017), which DPR and its successors use.

    Raises:
        ValueError: no passages, or no word in any of them.

    Example:
        >>> river = Passage(id="1", title="Elbe", text="A river.")
        >>> town = Passage(id="2", title="Ulm", text="A town.")
        >>> BM25([river, town]).search(["Which town?"], 1)[0].tolist()
        [[1]]
    """

    def __init__(self, passages: Sequence[Passage], k1: float = 0.9, b: float = 0.4) -> None:
        documents = [words(f"{passage.title} {passage.text}") for passage in passages]
        if not any(documents):
            raise ValueError(
                f"found {len(documents)} passages without a single word, expected text; "
                "look at corpus.path"
            )
        self.n_passages = len(documents)
        self._index = bm25s.BM25(k1=k1, b=b, method="lucene", backend="numpy")
        self._index.index(documents, show_progress=False)

    def search(
        self, texts: Sequence[str], k: int, *, progress: bool = False
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The k best passages of each text; ties go to the earlier passage of the corpus.

        Args:
            texts: B questions.
            k: passages per question; at most all of them.
            progress: show a bar.

        Returns:
            (positions in ``passages`` [B, k'], scores [B, k']) with k' = min(k, passages). A
            passage with score 0 shares no word with the question and only fills the list.
        """
        k = min(k, self.n_passages)
        indices = np.empty((len(texts), k), dtype=np.int64)
        scores = np.empty((len(texts), k), dtype=np.float32)
        asked = track(texts, description="BM25", disable=not progress)
        for row, text in enumerate(asked):
            indices[row], scores[row] = best(self._scores(text), k)
        if len(texts) and k and not (scores > 0).any():
            log.warning(
                "BM25: no question shares a word with a passage, so all scores are 0; are "
                "questions and passages in the same language and script?"
            )
        return indices, scores

    def scores(self, texts: Sequence[str], *, passages: NDArray[Any]) -> NDArray[np.float64]:
        """Scores [B, P] of B texts and their ``passages`` [B, P]; -1 is padding, with score 0."""
        found = np.zeros(passages.shape)
        for row, (text, listed) in enumerate(zip(texts, passages, strict=True)):
            found[row] = np.where(listed >= 0, self._scores(text)[listed], 0.0)
        return found

    def _scores(self, text: str) -> NDArray[np.float32]:
        known = self._index.get_tokens_ids(words(text))
        return np.asarray(self._index.get_scores_from_ids(known), dtype=np.float32)


def best(scores: NDArray[np.float32], k: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Positions and values of the k <= n highest of n scores; ties go to the earlier position."""
    if k == 0:
        return np.empty(0, dtype=np.int64), scores[:0]
    bar = np.partition(scores, len(scores) - k)[len(scores) - k]
    # All scores above the bar belong to the list; of those equal to it, the first ones.
    above, level = np.flatnonzero(scores > bar), np.flatnonzero(scores == bar)
    chosen = np.concatenate([above, level[: k - len(above)]])
    order = chosen[np.argsort(-scores[chosen], kind="stable")]
    return order, scores[order]
