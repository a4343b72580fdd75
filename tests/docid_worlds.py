"""Small corpora with one docid for each passage, under an FM-index and under a trie."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from ltrgr.index.shards import Shards
from ltrgr.index.trie import IdentifierTrie

CLOSE, BEGIN, END = 4, 5, 6
"""markers: end of a passage, begin and end of a docid; 0 to 3 are a model's own special tokens"""
SYMBOL = 7
"""the first token of docids and of texts"""

Ids = list[int]


class DocidWorld(NamedTuple):
    """P passages, each a docid between its markers, some text before and after it, and CLOSE."""

    codes: list[Ids]
    """docids without markers"""
    before: list[Ids]
    after: list[Ids]
    size: int
    """V, number of token ids"""

    @property
    def docids(self) -> list[Ids]:
        """The docids with their markers."""
        return [[BEGIN, *code, END] for code in self.codes]

    @property
    def passages(self) -> list[Ids]:
        parts = zip(self.before, self.docids, self.after, strict=True)
        return [[*before, *docid, *after, CLOSE] for before, docid, after in parts]

    @property
    def tokens(self) -> np.ndarray:
        return np.array([token for passage in self.passages for token in passage], np.int32)

    @property
    def offsets(self) -> np.ndarray:
        return np.cumsum([0, *map(len, self.passages)])

    @property
    def begins(self) -> np.ndarray:
        """[P] where each docid begins in ``tokens``."""
        return self.offsets[:-1] + np.array([len(text) for text in self.before])

    def fm(self) -> Shards:
        with TemporaryDirectory() as parent:  # mapped files outlive their names
            return Shards.build(
                tokens=self.tokens,
                offsets=self.offsets,
                vocabulary_size=self.size,
                directory=Path(parent) / "index",
                wide_threshold=5,
            )

    def trie(self, directory: Path | None = None) -> IdentifierTrie:
        if directory is None:
            with TemporaryDirectory() as parent:
                return self.trie(Path(parent) / "trie")
        return IdentifierTrie.build(
            tokens=self.tokens,
            begins=self.begins,
            ends=self.begins + np.array([len(docid) for docid in self.docids]),
            vocabulary_size=self.size,
            directory=directory,
        )

    def prefixes(self) -> list[Ids]:
        """Every distinct begin of a docid, its begin marker alone and whole docids included."""
        found = {tuple(docid[:n]) for docid in self.docids for n in range(1, len(docid) + 1)}
        return [list(prefix) for prefix in sorted(found)]

    def holders(self, key: Ids) -> list[int]:
        """The passages whose docid begins with ``key``, by comparing each."""
        return [p for p, docid in enumerate(self.docids) if docid[: len(key)] == key]


@st.composite
def docid_worlds(draw: st.DrawFn, *, size: int = 40) -> DocidWorld:
    """Docids over four symbols: some a prefix of another, all behind a common prefix, one of them
    far longer than the others, a single one; their symbols occur in the texts, too.
    """
    symbol = st.sampled_from([SYMBOL, SYMBOL + 1, size // 2, size - 1])
    code = st.lists(symbol, min_size=1, max_size=4)
    codes = draw(st.lists(code, min_size=1, max_size=20, unique_by=tuple))
    common = draw(st.lists(symbol, max_size=3))
    codes = [[*common, *code] for code in codes]
    if draw(st.booleans()):
        codes[0] = [*codes[0], *([size - 1] * 30)]
    texts = st.lists(st.lists(symbol, max_size=5), min_size=len(codes), max_size=len(codes))
    return DocidWorld(codes, draw(texts), draw(texts), size)


def random_world(
    *, passages: int, symbols: int, length: int, seed: int, size: int = 40
) -> DocidWorld:
    """Distinct random codes of up to ``length`` symbols, and random texts."""
    random = np.random.default_rng(seed)
    codes: dict[tuple[int, ...], None] = {}
    while len(codes) < passages:
        code = random.integers(SYMBOL, SYMBOL + symbols, random.integers(1, length + 1))
        codes[tuple(code.tolist())] = None
    texts = [random.integers(SYMBOL, size, random.integers(0, 9)).tolist() for _ in range(passages)]
    return DocidWorld([list(code) for code in codes], [[] for _ in texts], texts, size)
