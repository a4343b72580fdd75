"""Docids: one assigned identifier for each passage of a corpus, as in DSI (Tay et al. 2022).

A function assigns the docids of a whole corpus. A docid is a code over a small alphabet of its own
tokens (``random_ids``, ``clusters.kmeans_ids``) or a string (``title_ids``). Docids are unique:
each occurs once in the corpus and names one passage.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ltrgr.corpus.records import Passage
from ltrgr.identifiers.views import Docids, View
from ltrgr.typed import Seed, TwoOrMore

Codes = NDArray[np.int32]
"""[P, L] symbols of each passage's code, -1 after the last symbol"""


def random_ids(passages: Sequence[Passage], *, symbols: TwoOrMore, seed: Seed) -> Codes:
    """A random number for each passage, ``[P, L]`` digits in base ``symbols``.

    DSI's unstructured identifiers as strings (arXiv 2202.06991, sec. 3.2): the numbers 0 to P - 1,
    shuffled, each with the fewest digits that can number P passages. They carry no meaning, so the
    model has to memorise them.

    Raises:
        ValueError: ``symbols`` is below 2.

    >>> random_ids([Passage("a", "", ""), Passage("b", "", "")], symbols=2, seed=0).shape
    (2, 1)
    """
    expect_alphabet(symbols)
    numbers = np.random.default_rng(seed).permutation(len(passages))
    place = symbols ** np.arange(digits(len(passages), symbols=symbols) - 1, -1, -1)
    return (numbers[:, None] // place % symbols).astype(np.int32)


def title_ids(passages: Sequence[Passage]) -> list[str]:
    """Each passage's title, made unique by a number: "Oslo", "Oslo 2", "Oslo 3", ...

    Titles that differ only in case, accents or spaces count as equal, because a tokenizer may map
    them to the same tokens. A passage without a title takes the first eight words of its text.

    >>> title_ids([Passage("a", "Oslo", ""), Passage("b", "OSLO", ""), Passage("c", "Oslo 2", "")])
    ['Oslo', 'OSLO 2', 'Oslo 2 2']
    """
    taken: set[str] = set()
    used: dict[str, int] = {}
    found = []
    for passage in passages:
        title = passage.title.strip() or " ".join(passage.text.split()[:8]) or "untitled"
        key = _plain(title)
        number = used.get(key, 0) + 1
        while (name := key if number == 1 else f"{key} {number}") in taken:
            number += 1
        used[key] = number
        taken.add(name)
        found.append(title if number == 1 else f"{title} {number}")
    return found


def docids_of(view: View, passages: Sequence[Passage]) -> Docids:
    """The docids that the function of ``view`` assigns to ``passages``.

    Returns:
        Codes [P, L], or P strings.

    Raises:
        ValueError: the number of docids is not P, a docid is empty, two are equal, or a symbol is
            outside the view's alphabet.
    """
    assert view.docids is not None
    docids = view.docids(passages)
    if len(docids) != len(passages):
        raise ValueError(f"found {len(docids)} docids, expected one for each of {len(passages)}")
    if isinstance(docids, np.ndarray):
        _expect_codes(docids, symbols=view.symbols)
        n_distinct = len(np.unique(docids, axis=0))
    else:
        n_distinct = len(set(docids) - {""})
    if n_distinct < len(docids):
        raise ValueError(
            f"found {n_distinct} different docids for {len(docids)} passages, expected one each; "
            f"correct {view.docids}"
        )
    return docids


def digits(number: int, *, symbols: int) -> int:
    """The fewest digits, at least 1, that number ``number`` things in base ``symbols``.

    >>> digits(16, symbols=16), digits(17, symbols=16)
    (1, 2)
    """
    length, room = 1, symbols
    while room < number:
        length, room = length + 1, room * symbols
    return length


def _expect_codes(codes: Codes, *, symbols: int) -> None:
    if not len(codes):
        return
    if codes.max() >= symbols or codes[:, 0].min() < 0:
        raise ValueError(
            f"docids hold the symbols {codes[:, 0].min()} to {codes.max()}, the view has "
            f"symbols={symbols}; set both to the same number in the identifiers config"
        )
    if ((codes[:, 1:] >= 0) & (codes[:, :-1] < 0)).any():
        raise ValueError("a docid has a symbol after -1; expected -1 only after the last symbol")


def expect_alphabet(symbols: int) -> None:
    """Raise ValueError for an alphabet of fewer than two symbols."""
    if symbols < 2:
        raise ValueError(f"symbols={symbols}: expected an alphabet of 2 or more")


def _plain(title: str) -> str:
    decomposed = unicodedata.normalize("NFKD", title.casefold())
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).split())
