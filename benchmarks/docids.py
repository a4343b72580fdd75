"""The trie of docids beside the FM-index over the same stream: build, size, steps, scores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import Row, flush_caches, scaled, seconds
from benchmarks.world import World
from ltrgr.decoding.beam_kernels import advance, make_scratch
from ltrgr.identifiers.docids import digits
from ltrgr.identifiers.keys import Keys
from ltrgr.index.protocol import Index
from ltrgr.index.shards import Shards
from ltrgr.index.trie import IdentifierTrie
from ltrgr.scoring.scoring_settings import ScoringSettings
from ltrgr.scoring.search.passages import score_passages

SYMBOLS = 16
"""as identifiers=docid_random"""
QUESTIONS, BEAMS = 20, 15
LISTED = 100


@dataclass(frozen=True, kw_only=True)
class Docids:
    """The world's passages, each behind a random docid in tokens of its own."""

    tokens: NDArray[np.int32]
    offsets: NDArray[np.int64]
    length: int
    """L, tokens of every docid with its markers"""
    begin: int
    """begin marker; the end marker and the symbols follow it"""
    is_marker: NDArray[np.bool_]
    """[V]"""

    @property
    def keys(self) -> NDArray[np.int32]:
        """[P, L] the docids with their markers."""
        return self.tokens[self.offsets[:-1, None] + np.arange(self.length)]


def measure(world: World, *, repeats: int, seed: int) -> Iterator[Row]:
    """A row for each measure of the trie; the FM-index of the same run is its reference."""
    docids = docids_of(world, np.random.default_rng(seed))
    folders = {"trie": world.directory / "docid_trie", "fm": world.directory / "docid_fm"}
    makers = {"trie": partial(_trie, docids), "fm": partial(_fm, docids)}
    built = {
        kind: seconds(lambda kind=kind: folders[kind], makers[kind], repeats=min(3, repeats))
        for kind in makers
    }
    sizes = {kind: [_size(folder) / (len(docids.offsets) - 1)] for kind, folder in folders.items()}
    yield _row("docids/build", "ms", {kind: scaled(s, 1e3) for kind, s in built.items()})
    stream = docids.tokens.astype(np.uint16 if len(docids.is_marker) <= 2**16 else np.uint32)
    note = f"and the token stream, {stream.nbytes / (len(docids.offsets) - 1):.0f}"
    yield _row("docids/disk", "B/passage", sizes, note)
    indexes: dict[str, Index] = {
        "trie": IdentifierTrie.open(folders["trie"]),
        "fm": Shards.open(folders["fm"]),
    }
    yield _steps(docids, indexes, repeats, np.random.default_rng(seed))
    for with_prefixes in (False, True):
        yield _scores(docids, indexes, repeats, np.random.default_rng(seed), with_prefixes)


def docids_of(world: World, random: np.random.Generator) -> Docids:
    """The numbers 0 to P - 1, shuffled, as digits between two markers before each passage."""
    n, known = len(world.offsets) - 1, len(world.vocabulary)
    places = SYMBOLS ** np.arange(digits(n, symbols=SYMBOLS) - 1, -1, -1)
    length = len(places) + 2
    offsets = world.offsets + length * np.arange(n + 1)
    tokens = np.empty(offsets[-1], np.int32)
    at = offsets[:-1, None] + np.arange(length)
    is_text = np.ones(len(tokens), np.bool_)
    is_text[at.ravel()] = False
    tokens[is_text] = world.tokens
    tokens[at[:, 0]], tokens[at[:, -1]] = known, known + 1
    tokens[at[:, 1:-1]] = known + 2 + random.permutation(n)[:, None] // places % SYMBOLS
    is_marker = np.concatenate([world.vocabulary.is_marker, [True, True], [False] * SYMBOLS])
    return Docids(tokens=tokens, offsets=offsets, length=length, begin=known, is_marker=is_marker)


def _trie(docids: Docids, folder: Path) -> None:
    begins = docids.offsets[:-1]
    IdentifierTrie.build(
        tokens=docids.tokens,
        begins=begins,
        ends=begins + docids.length,
        vocabulary_size=len(docids.is_marker),
        directory=folder,
    )


def _fm(docids: Docids, folder: Path) -> None:
    Shards.build(
        tokens=docids.tokens,
        offsets=docids.offsets,
        vocabulary_size=len(docids.is_marker),
        directory=folder,
    )


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


def _row(name: str, unit: str, values: dict[str, list[float]], note: str = "") -> Row:
    references = {"fm": median(values["fm"])}
    return Row(name=name, unit=unit, values=values["trie"], references=references, note=note)


def _steps(
    docids: Docids, indexes: dict[str, Index], repeats: int, random: np.random.Generator
) -> Row:
    """Whole docids for 20 questions x 15 beams, without a model: the two kinds in turns."""
    size = len(docids.is_marker)
    measured: dict[str, list[float]] = {kind: [] for kind in indexes}
    for repeat in range(repeats + 1):
        logits = random.gumbel(size=(docids.length, QUESTIONS * BEAMS, size)).astype(np.float32)
        for kind, index in indexes.items():
            flush_caches()
            elapsed = _walk(index, docids, logits)
            if repeat:  # the first one compiled
                measured[kind].append(elapsed * 1e3 / (docids.length - 1))
    return _row(
        f"docids/{QUESTIONS}x{BEAMS} step with top-k",
        "ms/step",
        measured,
        f"mean of the {docids.length - 1} steps of a docid",
    )


def _walk(index: Index, docids: Docids, logits: NDArray[np.float32]) -> float:
    """Seconds inside ``advance``."""
    lo, hi = (np.tile(rows, (QUESTIONS, 1, 1)) for rows in index.interval([docids.begin]))
    score, scratch = np.zeros((QUESTIONS, 1), np.float32), make_scratch(index.vocabulary_size)
    end = np.full(QUESTIONS, docids.begin + 1, np.int64)
    arrays, elapsed = index.arrays, 0.0
    for depth in range(1, docids.length):
        rows = score.size
        begin = perf_counter()
        found = advance(
            arrays,
            logits[depth, :rows],
            np.zeros(rows, np.float32),
            score,
            lo,
            hi,
            depth,
            end,
            docids.is_marker,
            BEAMS,
            scratch,
        )
        elapsed += perf_counter() - begin
        _, _, score, lo, hi = (np.ascontiguousarray(part[:, :BEAMS]) for part in found)
    return elapsed


def _scores(
    docids: Docids,
    indexes: dict[str, Index],
    repeats: int,
    random: np.random.Generator,
    with_prefixes: bool,
) -> Row:
    """Rank lists of 20 questions from 15 docids each, or from their prefixes, too."""
    measured: dict[str, list[float]] = {kind: [] for kind in indexes}
    settings = ScoringSettings()
    for repeat in range(repeats + 1):
        asked, gain = _draw(docids, random, with_prefixes), random.uniform(1, 9, 10_000)
        for kind, index in indexes.items():
            keys = _keys(asked, index)
            flush_caches()
            begin = perf_counter()
            score_passages(
                keys,
                gain[: len(keys.lo)],
                index,
                settings=settings,
                marker=docids.is_marker,
                k=LISTED,
            )
            if repeat:
                measured[kind].append((perf_counter() - begin) * 1e3 / QUESTIONS)
    note = f"{len(keys.lo) / QUESTIONS:.0f} keys/question"
    return _row(f"docids/scoring{' with prefixes' * with_prefixes}", "ms/question", measured, note)


def _draw(
    docids: Docids, random: np.random.Generator, with_prefixes: bool
) -> list[list[list[int]]]:
    """[questions] keys: whole docids, with all their prefixes of a symbol or more."""
    shortest = 2 if with_prefixes else docids.length
    asked = []
    for _ in range(QUESTIONS):
        rows = docids.keys[random.choice(len(docids.offsets) - 1, BEAMS, replace=False)].tolist()
        own = {tuple(row[:n]) for row in rows for n in range(shortest, docids.length + 1)}
        asked.append([list(key) for key in sorted(own)])
    return asked


def _keys(asked: list[list[list[int]]], index: Index) -> Keys:
    flat = [key for keys in asked for key in keys]
    token_offsets = np.cumsum([0, *map(len, flat)])
    tokens = np.array([token for key in flat for token in key], np.int32)
    lo, hi = index.intervals(token_offsets, tokens)
    return Keys(
        question_offsets=np.cumsum([0, *map(len, asked)]),
        view=np.zeros(len(flat), np.int16),
        token_offsets=token_offsets,
        tokens=tokens,
        lo=lo,
        hi=hi,
        log_probability=np.full(len(flat), -1.0, np.float32),
    )
